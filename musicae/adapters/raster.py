"""Picture files <-> arrays of bytes or 16-bit words, through Pillow; only here is Pillow called."""

from __future__ import annotations

import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import PIL.Image
from numpy.typing import NDArray

from musicae.errors import MusicaeError
from musicae.whole import whole

__all__ = ["FORMATS", "LARGEST", "Raster", "grey", "load", "resize", "save"]

LARGEST = 250_000_000
"""The most pixels of a picture that are read: more is a mistake, or a file made to fill the memory."""

FORMATS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP",
    ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".gif": "GIF",
}  # fmt: skip
"""What is written for each file ending; what is read is told by its content."""

_HOW: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
_SEE_THROUGH = ("PNG", "WEBP", "TIFF")  # Formats whose transparency has as many levels as the picture.
_DEEP = ("PNG", "TIFF")
_SIDES = {"JPEG": 65500, "WEBP": 16383, "GIF": 65535}  # The longest side that a format has room for.

_ORIENTATION = 274  # EXIF 2.32, tag 0x0112: how to turn the picture so that it stands upright.
_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}

_limit = threading.RLock()


@dataclass
class Raster:
    """A picture as its file has it, upright.

    `values` is uint8 or uint16 ``(H, W, 1)`` or ``(H, W, 3)``, `alpha` ``(H, W)`` of the same type or None.
    `dpi` is pixels an inch along both axes, `profile` an ICC profile; `remarks` say what was made of the file.
    """

    values: NDArray[Any]
    alpha: NDArray[Any] | None = None
    dpi: tuple[float, float] | None = None
    profile: bytes | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def top(self) -> int:
        """The largest value there can be: 255 or 65535."""
        return int(np.iinfo(self.values.dtype).max)


def grey(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the luma of ``(H, W, 3)``, ``(H, W)`` in the same unit (ITU-R BT.601, as in JPEG)."""
    luma: NDArray[np.float32] = values.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return luma


def resize(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Scale ``(H, W, C)`` by bicubic interpolation, without aliasing where it gets smaller; its type is kept."""
    kind = values.dtype
    planes = []
    for plane in np.moveaxis(values, -1, 0):
        image = PIL.Image.fromarray(np.ascontiguousarray(plane if kind == np.uint8 else plane.astype(np.float32)))
        scaled = np.asarray(image.resize((width, height), PIL.Image.Resampling.BICUBIC))
        planes.append(scaled if kind.kind == "f" else scaled.round().clip(0, np.iinfo(kind).max))
    return np.stack(planes, axis=-1).astype(kind)


# --- reading -------------------------------------------------------------------------------------------------------


def load(path: Path) -> Raster:
    """Read a picture: 8 or 16 bits, grey, colour, palette or CMYK, with or without transparency.

    Raises
    ------
    MusicaeError : no file, an empty one, no picture, one that is damaged or cut short, or larger than `LARGEST`.
    """
    if path.is_dir():
        raise MusicaeError(f"{path} is a folder; name a file in it")
    try:
        if not path.stat().st_size:
            raise MusicaeError(f"{path} is empty (0 bytes); give a picture")
        path.open("rb").close()
    except FileNotFoundError:
        raise MusicaeError(f"there is no file {path}; check the name") from None
    except OSError as error:
        raise MusicaeError(f"{path} cannot be read: {error.strerror or error}") from None
    with _open(path) as image:
        pixels = image.width * image.height
        if pixels > LARGEST:
            size = f"{pixels / 1e6:,.0f} megapixels"
            raise MusicaeError(f"{path} has {size}, and {LARGEST // 10**6} are the most that is read; make it smaller")
        try:
            with _unlimited():
                return _decode(path, image)
        except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them stumble over.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise MusicaeError(f"{path} is damaged or cut short ({reason})") from error


def _open(path: Path) -> PIL.Image.Image:
    with _unlimited():
        try:
            return PIL.Image.open(path)
        except PIL.UnidentifiedImageError:
            raise MusicaeError(f"{path} is not a picture of a kind that is read here; convert it to PNG") from None
        except Exception as error:
            raise MusicaeError(f"{path} is damaged or cut short ({' '.join(str(error).split())})") from error


@contextmanager
def _unlimited() -> Iterator[None]:
    """Lift Pillow's own limit of size, of which a program has one, and so one picture at a time is read."""
    with _limit:
        kept, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = kept


def _decode(path: Path, image: PIL.Image.Image) -> Raster:
    remarks: list[str] = []
    profile = image.info.get("icc_profile")
    if getattr(image, "n_frames", 1) > 1:
        remarks.append(f"the first of its {getattr(image, 'n_frames', 1)} pictures was taken")
    if image.mode in ("CMYK", "LAB", "HSV", "YCbCr"):
        remarks.append(f"its {image.mode} colours were turned into RGB")
        profile = None  # It describes the colours as they were.
    swapped = _swapped(image)
    values: NDArray[Any]
    if swapped is not None:
        values = np.asarray(image).astype(np.uint16) << 8
        with _open(path) as again:
            again.tile = swapped  # type: ignore[attr-defined]
            values = values | np.asarray(again)
    elif image.mode.startswith("I") or image.mode == "F":
        values = _words(np.asarray(image), remarks)
    else:
        if any(";16" in mode for mode in _raw_modes(image)):
            remarks.append("of its 16 bits the upper 8 were read")
        values = np.asarray(image.convert(_plain(image)))
    values = values[..., None] if values.ndim == 2 else values
    turn = image.getexif().get(_ORIENTATION, 1)
    if turn in _UPRIGHT:
        values = _UPRIGHT[turn](values)
        remarks.append("it was turned upright, as its EXIF data say")
    values, alpha = (values[..., :-1], values[..., -1]) if values.shape[2] in (2, 4) else (values, None)
    if alpha is not None and bool((alpha == np.iinfo(alpha.dtype).max).all()):
        alpha = None
    if image.mode in ("P", "PA", "RGBA") and bool((values == values[..., :1]).all()):
        values = values[..., :1]  # Grey, and only stored as if it had colours.
    return Raster(np.ascontiguousarray(values), alpha, _dpi(image), profile, remarks)


def _swapped(image: PIL.Image.Image) -> list[Any] | None:
    """Return how to decode a picture of 16 bits a colour for its low bytes; None for any other.

    Pillow keeps the high byte of each such value, and the low one if it is told the other byte order.
    """
    found = []
    for tile, raw in zip(getattr(image, "tile", []), _raw_modes(image), strict=True):
        mode, _, order = raw.partition(";16")
        if mode not in ("RGB", "RGBA") or mode != image.mode or order not in ("B", "L", "N"):
            return None
        little = order == "L" or (order == "N" and sys.byteorder == "little")
        other = f"{mode};16{'B' if little else 'L'}"
        found.append(tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other))
    return found or None


def _raw_modes(image: PIL.Image.Image) -> list[str]:
    """Return how the file lays out its pixels, for each piece of it that Pillow decodes."""
    pieces = [tile.args for tile in getattr(image, "tile", [])]
    return [str(args[0]) if isinstance(args, tuple) and args else str(args) for args in pieces]


def _plain(image: PIL.Image.Image) -> str:
    """Return the mode of 8 bits that keeps all of a picture: L, LA, RGB or RGBA."""
    clear = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    return ("L" if image.mode in ("1", "L", "LA", "La") else "RGB") + "A" * clear


def _words(values: NDArray[Any], remarks: list[str]) -> NDArray[np.uint16]:
    """Return integers over 8 bits, or real numbers, as 16-bit words."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    whole = values.dtype.kind != "f"
    if whole and low >= 0 and high <= 65535:
        return values.astype(np.uint16)
    if not whole and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    else:
        remarks.append(f"its values {low:g} .. {high:g} were stretched to the whole range from black to white")
    scaled = (values.astype(np.float64) - low) * (65535 / max(high - low, 1e-12))
    return scaled.round().astype(np.uint16)


def _dpi(image: PIL.Image.Image) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 0 < x < 1e6 and 0 < y < 1e6 else None


# --- writing -------------------------------------------------------------------------------------------------------


def save(raster: Raster, path: Path, frames: list[NDArray[Any]] | None = None) -> None:
    """Write a picture as the kind that the ending of `path` says, whole or not at all.

    16 bits go into PNG and TIFF, others get the 8 upper ones; where a format has no transparency, the picture is laid
    over white. `frames`, uint8 of one size, make a GIF an animation instead, 0.1 s each.

    Raises
    ------
    MusicaeError : an ending that is not in `FORMATS`, a picture too large for its format, a folder that is missing
        or cannot be written.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise MusicaeError(f"{path} has the ending of no kind that is written here; it can be {', '.join(FORMATS)}")
    if (side := max(raster.values.shape[:2])) > _SIDES.get(kind, side):
        raise MusicaeError(f"{path} cannot be written: {kind} ends at {_SIDES[kind]} pixels, and {side} are wanted")
    more = dict(_HOW.get(kind, {}))
    if raster.dpi and kind in ("PNG", "JPEG", "TIFF", "BMP"):
        more["dpi"] = raster.dpi
    if raster.profile and kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        more["icc_profile"] = raster.profile
    values, alpha = raster.values, raster.alpha
    if alpha is not None and kind not in _SEE_THROUGH:
        share = alpha[..., None].astype(np.float32) / raster.top
        values = (values * share + raster.top * (1 - share)).round().astype(values.dtype)
        alpha = None
    if values.dtype == np.uint16 and kind not in _DEEP:
        values = _bytes(values)
        alpha = None if alpha is None else _bytes(alpha)
    with whole(path) as temporary:
        try:
            if kind == "GIF" and frames:
                first, *rest = [_image(frame) for frame in frames]
                first.save(temporary, "GIF", save_all=True, append_images=rest, duration=100, loop=0)
            elif values.dtype == np.uint16 and (values.shape[2] == 3 or alpha is not None):
                # Grey with transparency goes into three channels: of two, Pillow reads 8 bits only.
                deep = _with(values.repeat(3, 2) if values.shape[2] == 1 else values, alpha)
                temporary.write_bytes((_deep_png if kind == "PNG" else _deep_tiff)(deep, raster.dpi, raster.profile))
            else:
                _image(_with(values, alpha)).save(temporary, kind, **more)
        except (ValueError, SystemError) as error:  # What an encoder raises besides OSError.
            raise MusicaeError(f"{path} cannot be written as {kind}: {' '.join(str(error).split())}") from error


def _bytes(words: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return (words.astype(np.float32) / 257).round().astype(np.uint8)


def _with(values: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[Any]:
    return values if alpha is None else np.concatenate([values, alpha[..., None]], axis=-1)


def _image(values: NDArray[Any]) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values))


def _deep_png(values: NDArray[np.uint16], dpi: tuple[float, float] | None, profile: bytes | None) -> bytes:
    """Return a PNG file of 16 bits for each of 3 or 4 channels, which Pillow does not write (W3C PNG, 3rd ed.)."""
    height, width, channels = values.shape
    rows = np.zeros((height, 1 + 2 * channels * width), np.uint8)  # Each begins with its filter: 2, the row above.
    rows[:, 0] = 2
    rows[:, 1:] = np.ascontiguousarray(values, ">u2").view(np.uint8).reshape(height, -1)
    rows[1:, 1:] -= rows[:-1, 1:].copy()
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [(b"IHDR", header)]
    if profile:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
    if dpi:  # In dots a metre.
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(one / 0.0254) for one in dpi), 1)))
    chunks += [(b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    written = [struct.pack(">I", len(c)) + name + c + struct.pack(">I", zlib.crc32(name + c)) for name, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def _deep_tiff(values: NDArray[np.uint16], dpi: tuple[float, float] | None, profile: bytes | None) -> bytes:
    """Return a TIFF file of 16 bits for each of 3 or 4 channels, which Pillow does not write (TIFF 6.0)."""
    height, width, channels = values.shape
    content = zlib.compress(np.ascontiguousarray(values).astype("<u2").tobytes())
    head = struct.pack("<HHHH", 16, 16, 16, 16)
    head += b"".join(struct.pack("<II", round(one * 1000), 1000) for one in dpi or (72.0, 72.0))
    place = 8 + len(head)
    tags = [  # (tag, 3 for words or 4 for double words, count, value)
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, 8), (259, 3, 1, 8), (262, 3, 1, 2),
        (273, 4, 1, place), (277, 3, 1, channels), (278, 4, 1, height), (279, 4, 1, len(content)),
    ]  # fmt: skip
    if dpi:
        tags += [(282, 5, 1, 16), (283, 5, 1, 24), (296, 3, 1, 2)]
    if channels == 4:
        tags.append((338, 3, 1, 2))
    if profile:
        tags.append((34675, 7, len(profile), place + len(content)))
        content += profile
    start = place + len(content) + len(content) % 2
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    table = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return struct.pack("<2sHI", b"II", 42, start) + head + content + b"\0" * (len(content) % 2) + table
