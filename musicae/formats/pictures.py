"""Read and write picture files as arrays of 8 or 16 bits. Pillow is used only here."""

from __future__ import annotations

import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import PIL
import PIL.Image
from numpy.typing import NDArray

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import check_input, name_of, output, suffix_of
from musicae.tensors.luma import LUMA_WEIGHTS

__all__ = ["FORMATS", "MAX_PIXELS", "Raster", "format_of", "grey", "load", "resize", "save"]

MAX_PIXELS = 250_000_000
"""Larger pictures are not read: such a file is a mistake, or meant to exhaust the memory."""

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
}
"""The format written for each file ending; reading goes by the content."""

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
_ALPHA_FORMATS = ("PNG", "WEBP", "TIFF")  # Their transparency has as many levels as the picture.
_16_BITS = ("PNG", "TIFF")
_MAX_SIDE = {"JPEG": 65500, "WEBP": 16383, "GIF": 65535}  # In pixels.

_ORIENTATION = 274  # EXIF 2.32, tag 0x0112: how to turn the picture upright.
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
    """A picture as in its file, upright.

    `values` is uint8 or uint16 ``(H, W, 1)`` or ``(H, W, 3)``, `alpha` ``(H, W)`` of the same type or None.
    `dpi` is the resolution along both axes, `profile` an ICC profile, `suffix` that of the file's format; `remarks` say
    what reading changed.
    """

    values: NDArray[Any]
    alpha: NDArray[Any] | None = None
    dpi: tuple[float, float] | None = None
    profile: bytes | None = None
    suffix: str = ".png"
    remarks: list[str] = field(default_factory=list)

    @property
    def top(self) -> int:
        """The value of white: 255 or 65535."""
        return int(np.iinfo(self.values.dtype).max)


def grey(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the luma of ``(H, W, 3)``, ``(H, W)`` in the same unit (ITU-R BT.601, as in JPEG)."""
    luma: NDArray[np.float32] = values.astype(np.float32) @ np.array(LUMA_WEIGHTS, np.float32)
    return luma


def resize(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Scale ``(H, W, C)`` by bicubic interpolation, antialiased if it shrinks; the type stays."""
    kind = values.dtype
    planes = []
    for plane in np.moveaxis(values, -1, 0):
        image = PIL.Image.fromarray(np.ascontiguousarray(plane if kind == np.uint8 else plane.astype(np.float32)))
        scaled = np.asarray(image.resize((width, height), PIL.Image.Resampling.BICUBIC))
        planes.append(scaled if kind.kind == "f" else scaled.round().clip(0, np.iinfo(kind).max))
    return np.stack(planes, axis=-1).astype(kind)


# --- reading -------------------------------------------------------------------------------------------------------


def format_of(head: bytes) -> str:
    """Return the format in `FORMATS` of a file that begins with `head` (12 bytes or more), or an empty string."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "BMP"
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def load(file: File) -> Raster:
    """Read a picture: 8 or 16 bits, grey, colour, palette or CMYK, with or without transparency.

    Raises
    ------
    MusicaeError : a file that is missing, empty, not a picture, damaged, cut short or larger than `MAX_PIXELS`.
    """
    check_input(file, "a picture")
    with _open(file) as image:
        pixels = image.width * image.height
        if pixels > MAX_PIXELS:
            size, limit = f"{pixels / 1e6:,.0f} megapixels", MAX_PIXELS // 10**6
            raise MusicaeError(f"{name_of(file)} has {size}; at most {limit} can be read, so make it smaller")
        try:
            with _unlimited():
                return _decode(file, image)
        except Exception as error:  # On a damaged file Pillow's decoders raise all kinds of errors.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise MusicaeError(f"{name_of(file)} is damaged or cut short ({reason})") from error


def _open(file: File) -> PIL.Image.Image:
    if not isinstance(file, Path):
        file.seek(0)
    with _unlimited():
        try:
            return PIL.Image.open(file)
        except PIL.UnidentifiedImageError:
            raise MusicaeError(f"{name_of(file)} is not a picture in a known format; convert it to PNG") from None
        except Exception as error:
            reason = " ".join(str(error).split())
            raise MusicaeError(f"{name_of(file)} is damaged or cut short ({reason})") from error


@contextmanager
def _unlimited() -> Iterator[None]:
    """Lift Pillow's own limit on the size. It is global, so one picture at a time."""
    with _limit:
        kept, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = kept


def _decode(file: File, image: PIL.Image.Image) -> Raster:
    remarks: list[str] = []
    profile = image.info.get("icc_profile")
    if (frames := getattr(image, "n_frames", 1)) > 1:
        remarks.append(f"the first of its {frames} pictures was taken")
    if image.mode in ("CMYK", "LAB", "HSV", "YCbCr"):
        remarks.append(f"its {image.mode} colours were converted to RGB")
        profile = None  # It describes the colours before the conversion.
    swapped = _swapped(image)
    values: NDArray[Any]
    if swapped is not None:
        values = np.asarray(image).astype(np.uint16) << 8
        with _open(file) as again:
            again.tile = swapped  # type: ignore[attr-defined]
            values = values | np.asarray(again)
    elif image.mode.startswith("I") or image.mode == "F":
        values = _to_16_bits(np.asarray(image), remarks)
    else:
        if any(";16" in mode for mode in _raw_modes(image)):
            remarks.append("only the upper 8 of its 16 bits were read")
        values = np.asarray(image.convert(_8_bit_mode(image)))
    values = values[..., None] if values.ndim == 2 else values
    turn = image.getexif().get(_ORIENTATION, 1)
    if turn in _UPRIGHT:
        values = _UPRIGHT[turn](values)
        remarks.append("it was turned upright, as its EXIF data say")
    values, alpha = (values[..., :-1], values[..., -1]) if values.shape[2] in (2, 4) else (values, None)
    if alpha is not None and bool((alpha == np.iinfo(alpha.dtype).max).all()):
        alpha = None
    if image.mode in ("P", "PA", "RGBA") and bool((values == values[..., :1]).all()):
        values = values[..., :1]  # Grey, though stored as colours.
    suffix = next((suffix for suffix, kind in FORMATS.items() if kind == image.format), ".png")
    return Raster(np.ascontiguousarray(values), alpha, _dpi(image), profile, suffix, remarks)


def _swapped(image: PIL.Image.Image) -> list[Any] | None:
    """Return the tiles with which Pillow decodes the low bytes of a 16-bit colour picture; None for any other.

    Pillow keeps the high byte of each value, or the low one if given the other byte order.
    """
    tiles = []
    for tile, raw in zip(getattr(image, "tile", []), _raw_modes(image), strict=True):
        mode, _, order = raw.partition(";16")
        if mode not in ("RGB", "RGBA") or mode != image.mode or order not in ("B", "L", "N"):
            return None
        little = order == "L" or (order == "N" and sys.byteorder == "little")
        swapped = f"{mode};16{'B' if little else 'L'}"
        tiles.append(tile._replace(args=(swapped, *tile.args[1:]) if isinstance(tile.args, tuple) else swapped))
    return tiles or None


def _raw_modes(image: PIL.Image.Image) -> list[str]:
    """Return the raw mode (the layout of the pixels in the file) of each tile that Pillow decodes."""
    layouts = [tile.args for tile in getattr(image, "tile", [])]
    return [str(args[0]) if isinstance(args, tuple) and args else str(args) for args in layouts]


def _8_bit_mode(image: PIL.Image.Image) -> str:
    """Return the 8-bit mode that keeps all of a picture: L, LA, RGB or RGBA."""
    has_alpha = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    return ("L" if image.mode in ("1", "L", "LA", "La") else "RGB") + "A" * has_alpha


def _to_16_bits(values: NDArray[Any], remarks: list[str]) -> NDArray[np.uint16]:
    """Return integers of more than 8 bits, or real numbers, as 16-bit integers."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    integer = values.dtype.kind != "f"
    if integer and low >= 0 and high <= 65535:
        return values.astype(np.uint16)
    if not integer and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    else:
        remarks.append(f"its values {low:g} .. {high:g} were stretched to the full range from black to white")
    scaled = (values.astype(np.float64) - low) * (65535 / max(high - low, 1e-12))
    return scaled.round().astype(np.uint16)


def _dpi(image: PIL.Image.Image) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 0 < x < 1e6 and 0 < y < 1e6 else None


# --- writing -------------------------------------------------------------------------------------------------------


def save(raster: Raster, file: File, frames: list[NDArray[Any]] | None = None, kind: str = "PNG") -> None:
    """Write a picture, atomically: to a path in the format of its ending, to a stream as `kind` (see `FORMATS`).

    PNG and TIFF keep 16 bits, other formats get the upper 8. For a format without transparency the picture is blended
    with white. `frames`, uint8 of one size, make a GIF an animation instead, 0.1 s each.

    Raises
    ------
    MusicaeError : an ending that is not in `FORMATS`, a picture too large for its format, a folder that is missing
        or cannot be written.
    """
    kind = FORMATS.get(suffix_of(file), "") if isinstance(file, Path) else kind
    name = name_of(file)
    if not kind:
        raise MusicaeError(f"{name} does not end as a picture does; use {', '.join(FORMATS)}")
    if (side := max(raster.values.shape[:2])) > _MAX_SIDE.get(kind, side):
        raise MusicaeError(
            f"{name} cannot be written: {kind} holds {_MAX_SIDE[kind]} pixels a side, not {side}; use .png"
        )
    values, alpha = raster.values, raster.alpha
    if alpha is not None and kind not in _ALPHA_FORMATS:
        share = alpha[..., None].astype(np.float32) / raster.top
        values = (values * share + raster.top * (1 - share)).round().astype(values.dtype)
        alpha = None
    if values.dtype == np.uint16 and kind not in _16_BITS:
        values = _to_8_bits(values)
        alpha = None if alpha is None else _to_8_bits(alpha)
    with output(file) as opened:
        try:
            if kind == "GIF" and frames:
                first, *rest = [_image(frame) for frame in frames]
                first.save(opened, "GIF", save_all=True, append_images=rest, duration=100, loop=0)
            else:
                _encode(Raster(values, alpha, raster.dpi, raster.profile), opened, kind)
        except (ValueError, SystemError) as error:  # What an encoder raises besides OSError.
            raise MusicaeError(f"{name} cannot be written as {kind}: {' '.join(str(error).split())}") from error


def _encode(raster: Raster, file: BinaryIO, kind: str) -> None:
    values, alpha = raster.values, raster.alpha
    if values.dtype == np.uint16 and (values.shape[2] == 3 or alpha is not None):
        # Grey with transparency is written as three channels: Pillow reads two in 8 bits only.
        deep = _with_alpha(values.repeat(3, 2) if values.shape[2] == 1 else values, alpha)
        file.write((_deep_png if kind == "PNG" else _deep_tiff)(deep, raster.dpi, raster.profile))
        return
    options = dict(_OPTIONS.get(kind, {}))
    if raster.dpi and kind in ("PNG", "JPEG", "TIFF", "BMP"):
        options["dpi"] = raster.dpi
    if raster.profile and kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        options["icc_profile"] = raster.profile
    _image(_with_alpha(values, alpha)).save(file, kind, **options)


def _to_8_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return (values.astype(np.float32) / 257).round().astype(np.uint8)


def _with_alpha(values: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[Any]:
    return values if alpha is None else np.concatenate([values, alpha[..., None]], axis=-1)


def _image(values: NDArray[Any]) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values))


def _deep_png(values: NDArray[np.uint16], dpi: tuple[float, float] | None, profile: bytes | None) -> bytes:
    """Return a PNG file with 3 or 4 channels of 16 bits, which Pillow cannot write (W3C PNG, 3rd ed.)."""
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
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(axis / 0.0254) for axis in dpi), 1)))
    chunks += [(b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    written = [struct.pack(">I", len(c)) + name + c + struct.pack(">I", zlib.crc32(name + c)) for name, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def _deep_tiff(values: NDArray[np.uint16], dpi: tuple[float, float] | None, profile: bytes | None) -> bytes:
    """Return a TIFF file with 3 or 4 channels of 16 bits, which Pillow cannot write (TIFF 6.0)."""
    height, width, channels = values.shape
    content = zlib.compress(np.ascontiguousarray(values).astype("<u2").tobytes())
    head = struct.pack("<HHHH", 16, 16, 16, 16)
    head += b"".join(struct.pack("<II", round(axis * 1000), 1000) for axis in dpi or (72.0, 72.0))
    position = 8 + len(head)
    tags = [  # (tag, 3 for words or 4 for double words, count, value)
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, 8),
        (259, 3, 1, 8),
        (262, 3, 1, 2),
        (273, 4, 1, position),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(content)),
    ]
    if dpi:
        tags += [(282, 5, 1, 16), (283, 5, 1, 24), (296, 3, 1, 2)]
    if channels == 4:
        tags.append((338, 3, 1, 2))
    if profile:
        tags.append((34675, 7, len(profile), position + len(content)))
        content += profile
    start = position + len(content) + len(content) % 2
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    table = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return struct.pack("<2sHI", b"II", 42, start) + head + content + b"\0" * (len(content) % 2) + table
