"""Read and write picture files as arrays, with all that they say beside their pixels."""

from __future__ import annotations

import io
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import PIL
import PIL.Image
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import check_input, name_of, output, suffix_of
from musicae.formats.pictures.colours import CONVERTED, is_profile_of, to_rgb
from musicae.formats.pictures.decoders import FORMATS, UNREAD, decoders, format_of
from musicae.formats.pictures.deep import Numbers, write_png, write_tiff
from musicae.formats.pictures.jpeg_end import with_end
from musicae.formats.pictures.metadata import Metadata, keeps, read_metadata, save_options, tiff_tags
from musicae.formats.pictures.numbers import has_numbers, numbers_of, raw_modes, swapped
from musicae.formats.pictures.size import memory_of, plain_mode
from musicae.formats.quiet import quiet
from musicae.memory import check_memory
from musicae.tensors.luma import LUMA_WEIGHTS

__all__ = ["FORMATS", "Raster", "format_of", "grey", "load", "opening", "resize", "save"]

_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "AVIF": {"quality": 90, "subsampling": "4:4:4"},
}
_MAX_SIDE = {"JPEG": 65500, "WEBP": 16383, "GIF": 65535, "AVIF": 32768}  # In pixels.
_MAX_SCANS = 100  # Of a progressive JPEG; cameras and editors write about ten, and each takes as long as a picture.
_STRIP = 256  # Rows copied at a time.
_HEAD = 64  # Bytes that tell the format.

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
logging.getLogger("PIL").addHandler(logging.NullHandler())  # Or Python would print what Pillow says of damaged files.


@dataclass
class Raster:
    """A picture as in its file, upright.

    `values` is uint8 or uint16 ``(H, W, 1)`` or ``(H, W, 3)``, or float32 ``(H, W, 1)`` from 0 to 1 that stand for
    `numbers`; `alpha` is ``(H, W)`` of the same type or None. `dpi` is the resolution along both axes, `profile` an ICC
    profile, `suffix` that of the file's format. `remarks` say what reading changed, `losses` what writing cannot bring
    back.
    """

    values: NDArray[Any]
    alpha: NDArray[Any] | None = None
    dpi: tuple[float, float] | None = None
    profile: bytes | None = None
    suffix: str = ".png"
    remarks: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    numbers: Numbers | None = None
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def top(self) -> int:
        """The value of white: 255, 65535, or 1 for real numbers."""
        return 1 if self.values.dtype.kind == "f" else int(np.iinfo(self.values.dtype).max)


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


def load(file: File, pixel_bytes: int = 0, byte_pixel_bytes: int | None = None) -> Raster:
    """Read a picture: 8 or 16 bits or other numbers, grey, colour, palette or CMYK, with or without transparency.

    `pixel_bytes` is the memory that each pixel takes afterwards, while the picture is worked on; `byte_pixel_bytes` is
    that of one in red, green and blue of 8 bits where it differs.

    Raises
    ------
    MusicaeError : a file that is missing, empty, not a picture, damaged, cut short, or larger than the memory allowed
        (see `musicae.memory`).
    """
    check_input(file, "a picture")
    with opening(file) as image:
        _check_size(file, image, pixel_bytes, pixel_bytes if byte_pixel_bytes is None else byte_pixel_bytes)
        try:
            # libtiff prints what is wrong with a file.
            with _quiet(), quiet() if isinstance(image, TiffImageFile) else nullcontext():
                made, turn = _decode(file, image)
        except Exception as error:  # On a damaged file Pillow's decoders raise all kinds of errors.
            if image.format == "JPEG" and (whole := _with_end(file)):
                made = load(io.BytesIO(whole), pixel_bytes, byte_pixel_bytes)
                made.remarks.append("it had no end, which was added")
                return made
            reason = " ".join(str(error).split()) or type(error).__name__
            raise MusicaeError(f"{name_of(file)} is damaged or cut short ({reason})") from error
    del image  # Of a large picture every copy counts.
    if turn in _UPRIGHT:
        made.values = np.ascontiguousarray(_UPRIGHT[turn](made.values))
        made.alpha = None if made.alpha is None else np.ascontiguousarray(_UPRIGHT[turn](made.alpha))
    return made


def opening(file: File) -> PIL.Image.Image:
    """Return a picture of which only the header is read. Raise MusicaeError for what is none."""
    with _quiet():
        try:
            return PIL.Image.open(_rewound(file), formats=decoders())
        except PIL.UnidentifiedImageError:
            raise MusicaeError(_unknown(file)) from None
        except Exception as error:
            reason = " ".join(str(error).split())
            raise MusicaeError(f"{name_of(file)} is damaged or cut short ({reason})") from error


def _with_end(file: File) -> bytes | None:
    with _quiet():
        return with_end(_head(file, -1))


def _rewound(file: File) -> File:
    if not isinstance(file, Path):
        file.seek(0)
    return file


def _head(file: File, size: int) -> bytes:
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return opened.read(size)
    file.seek(0)
    return file.read(size)


def _unknown(file: File) -> str:
    kind, name = format_of(_head(file, _HEAD)), name_of(file)
    if kind in UNREAD:
        return f"{name} is {kind}, which is not read; {UNREAD[kind]}"
    if kind:
        return f"{name} is damaged, or a {kind} file of a kind that is not read; convert it to PNG"
    return f"{name} is not a picture in a known format; convert it to PNG"


def _check_size(file: File, image: PIL.Image.Image, pixel_bytes: int, byte_pixel_bytes: int) -> None:
    """Raise MusicaeError, before anything is decoded, for a picture that takes too much memory, or time."""
    with _quiet():
        needed = memory_of(image, pixel_bytes, byte_pixel_bytes)
    check_memory(needed, f"{name_of(file)} ({image.width} x {image.height} pixels)")
    if image.info.get("progressive") and _head(file, -1).count(b"\xff\xda") > _MAX_SCANS:
        raise MusicaeError(f"{name_of(file)} has more than {_MAX_SCANS} scans; save it again with another program")
    _rewound(file)


@contextmanager
def _quiet() -> Iterator[None]:
    """Lift Pillow's own limit on the size, and silence its warnings. Both are global, so one picture at a time."""
    with _limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = kept


def _decode(file: File, image: PIL.Image.Image) -> tuple[Raster, int]:
    """Return a picture as it lies in its file, and how it is to be turned (see `_UPRIGHT`)."""
    made = Raster(np.empty(0), dpi=_dpi(image), profile=image.info.get("icc_profile"))
    made.suffix = next((suffix for suffix, kind in FORMATS.items() if kind == image.format), ".png")
    mode = image.mode
    if image.format == "MPO":
        made.suffix = ".jpg"
        made.losses.append("the pictures beside the first (a preview, depth, or the brightest parts) were left out")
    elif getattr(image, "is_animated", False):
        made.losses.append(f"the first of its {getattr(image, 'n_frames', 0)} pictures was taken")
    other_bytes = swapped(image)  # Before `getexif`, which may decode the picture.
    turned = _orientation(image) in _UPRIGHT
    values: NDArray[Any]
    if mode in CONVERTED:
        converted, told = to_rgb(image, made.profile)
        values = _values(converted)
        made.losses.append(told)
        made.profile = None  # It describes the colours before the conversion.
    elif other_bytes is not None:
        values = np.asarray(image).astype(np.uint16) << 8
        with opening(file) as again:
            again.tile = other_bytes  # type: ignore[attr-defined]
            values |= np.asarray(again)
    elif has_numbers(image):
        values, made.numbers = numbers_of(image, made.remarks)
    else:
        if any(";16" in raw for raw in raw_modes(image)):
            made.losses.append("only the upper 8 of its 16 bits were read")
        plain = plain_mode(image)
        values = _values(image if image.mode == plain else image.convert(plain))
    values = values[..., None] if values.ndim == 2 else values
    if turned:
        made.remarks.append("it was turned upright, as its EXIF data say")
    made.metadata = read_metadata(image, made.losses)
    if values.shape[2] in (2, 4):
        values, alpha = values[..., :-1], values[..., -1]
        top = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
        made.alpha = None if bool((alpha == top).all()) else alpha
    if mode in ("P", "PA", "RGBA") and not made.profile and bool((values == values[..., :1]).all()):
        values = values[..., :1]  # Grey, though stored as colours.
    made.values = np.ascontiguousarray(values)
    if made.profile and not is_profile_of(made.profile, made.values.shape[2]):
        made.losses.append("its colour profile is damaged or not for its colours, and was left out")
        made.profile = None
    made.remarks += made.losses
    return made, _orientation(image)  # Pillow has turned TIFF files already.


def _values(image: PIL.Image.Image) -> NDArray[np.uint8]:
    """Return the bytes of a picture, ``(H, W, C)``; NumPy alone would copy all of it twice."""
    values = np.empty((image.height, image.width, len(image.getbands())), np.uint8)
    for at in range(0, image.height, _STRIP):
        strip = values[at : at + _STRIP]
        strip[:] = np.asarray(image.crop((0, at, image.width, at + len(strip)))).reshape(strip.shape)
    return values


def _orientation(image: PIL.Image.Image) -> int:
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # Damaged EXIF data are no reason to refuse a picture.
        return 1
    return turn if isinstance(turn, int) else 1


def _dpi(image: PIL.Image.Image) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x < 1e6 and 1 < y < 1e6 else None  # 1: what Pillow makes of a TIFF file without any.


# --- writing -------------------------------------------------------------------------------------------------------


def save(raster: Raster, file: File, frames: list[NDArray[Any]] | None = None, kind: str = "PNG") -> list[str]:
    """Write a picture, atomically: to a path in the format of its ending, to a stream as `kind` (see `FORMATS`).

    PNG and TIFF keep 16 bits, other formats get the upper 8. For a format without transparency the picture is blended
    with white. `frames`, uint8 of one size, make a GIF an animation instead, 0.1 s each. Return what could not be kept,
    in a line or none.

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
    ready, lost = _for_format(raster, kind)
    del raster  # Of a large picture every copy counts.
    pixels = _pixels(ready, kind)
    ready.values, ready.alpha = ready.values[:0], None
    with output(file) as opened, _quiet():  # Pillow warns of metadata that it does not understand.
        try:
            if kind == "GIF" and frames:
                first, *rest = [_image(frame) for frame in frames]
                first.save(opened, "GIF", save_all=True, append_images=rest, duration=100, loop=0)
                return []
            _encode(ready, pixels, opened, kind, lost)
        except (ValueError, SystemError) as error:  # What an encoder raises besides OSError.
            raise MusicaeError(f"{name} cannot be written as {kind}: {' '.join(str(error).split())}") from error
    return [f"{kind} does not keep: {', '.join(sorted(set(lost)))}"] if lost else []


def _for_format(raster: Raster, kind: str) -> tuple[Raster, list[str]]:
    """Return a picture as a format can hold it, and what of it this leaves out."""
    kept = keeps(kind)
    values, alpha, numbers = raster.values, raster.alpha, raster.numbers
    there = {
        "colour profile": raster.profile,
        "resolution": raster.dpi and not raster.metadata.exif,
        "range of its numbers": numbers,
        "transparency": alpha is not None,
        "16 bits": values.dtype == np.uint16,
    }
    lost = [name for name, content in there.items() if content and name not in kept]
    if "range of its numbers" in lost:
        values, numbers = (values * 65535).round().astype(np.uint16), None
        alpha = None if alpha is None else (alpha * 65535).round().astype(np.uint16)
    if alpha is not None and "transparency" in lost:
        top = 65535 if values.dtype == np.uint16 else 255
        share = alpha[..., None].astype(np.float32) / top
        values, alpha = (values * share + top * (1 - share)).round().astype(values.dtype), None
    if values.dtype == np.uint16 and "16 bits" not in kept:
        values, alpha = _to_8_bits(values), None if alpha is None else _to_8_bits(alpha)
    if kind == "GIF" and alpha is not None:
        alpha = (alpha >= 128) * np.uint8(255)
    narrow = values.shape[2] == 1 and alpha is not None
    if narrow and (kind == "GIF" or values.dtype == np.uint16):
        values = values.repeat(3, 2)  # Pillow reads or writes no grey of 16 bits, or of a GIF, with transparency.
    profile = raster.profile if "colour profile" in kept else None
    dpi = raster.dpi if "resolution" in kept else None
    return replace(raster, values=values, alpha=alpha, numbers=numbers, profile=profile, dpi=dpi), lost


def _pixels(raster: Raster, kind: str) -> PIL.Image.Image | NDArray[Any]:
    """Return the pixels of a picture as what writes them takes them: Pillow, or what is in `deep_pictures`."""
    values = raster.values
    if raster.alpha is not None:
        values = np.concatenate([values, raster.alpha[..., None]], axis=-1)
    is_deep = kind == "PNG" and values.shape[2] > 1 and values.dtype == np.uint16
    return values if kind == "TIFF" or is_deep else _image(values)


def _encode(raster: Raster, pixels: PIL.Image.Image | NDArray[Any], file: BinaryIO, kind: str, lost: list[str]) -> None:
    metadata, without = raster.metadata, list(lost)
    try:
        _encode_with(raster, pixels, metadata, file, kind, lost)
    except Exception:  # Metadata of a damaged file, which an encoder does not take.
        if not metadata.parts:
            raise
        file.seek(0)
        file.truncate()
        lost[:] = [*without, *metadata.parts]
        _encode_with(raster, pixels, Metadata(), file, kind, lost)


def _encode_with(
    raster: Raster,
    pixels: PIL.Image.Image | NDArray[Any],
    metadata: Metadata,
    file: BinaryIO,
    kind: str,
    lost: list[str],
) -> None:
    height, width = pixels.shape[:2] if isinstance(pixels, np.ndarray) else (pixels.height, pixels.width)
    if kind == "TIFF" and isinstance(pixels, np.ndarray):
        tags = tiff_tags(metadata, width, height, lost)
        write_tiff(file, pixels, raster.numbers, raster.dpi, raster.profile, tags)
        return
    options = {**_OPTIONS.get(kind, {}), **save_options(metadata, kind, width, height, lost)}
    if "qtables" in options:
        del options["quality"]  # It would scale the tables.
    if isinstance(pixels, np.ndarray):
        write_png(file, pixels, raster.dpi, raster.profile, options.get("exif", b""), options["pnginfo"])
        return
    if raster.dpi:
        options["dpi"] = raster.dpi
    if raster.profile:
        options["icc_profile"] = raster.profile
    pixels.save(file, kind, **options)


def _to_8_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return (values.astype(np.float32) / 257).round().astype(np.uint8)


def _image(values: NDArray[Any]) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values))
