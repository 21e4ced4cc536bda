"""Pixels that Pillow reads only in part or by detours: colours of 16 bits, and numbers of other types than bytes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from musicae.formats.pictures.deep import Numbers

__all__ = ["has_numbers", "numbers_of", "raw_modes", "swapped"]

_BITS, _SAMPLE_FORMAT = 258, 339  # Tags of a TIFF file.
_SIGNED = 2
_STRIP = 256  # Rows.


def numbers_of(image: PIL.Image.Image, remarks: list[str]) -> tuple[NDArray[Any], Numbers | None]:
    """Return integers of 16 bits as they are, uint16 ``(H, W)``; others as float32, 0 to 1, and what they stand for.

    With numbers that are missing (NaN) the values are ``(H, W, 2)``: the second is 0 where there is none.
    """
    numbers, kind = np.asarray(image), _kind(image)
    if kind == "uint16":
        return numbers.clip(0, 65535).astype(np.uint16), None
    if kind in ("int8", "uint32"):
        numbers = numbers.view(kind)  # Pillow takes them for numbers without a sign, and with one.
    missing = ~np.isfinite(numbers) if kind == "float32" else np.zeros(1, np.bool_)
    if missing.any():
        remarks.append(f"its {int(missing.sum())} pixels without a number stay so")
        numbers = np.where(missing, numbers[~missing][:1].sum(), numbers)
    low, high = float(numbers.min()), float(numbers.max())
    if kind == "uint12":
        low, high = 0.0, 4095.0
    elif kind == "float32" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    else:
        remarks.append(f"its values {low:g} .. {high:g} are taken as black to white, and written back as such")
    scaled = np.empty(numbers.shape, np.float32)
    for at in range(0, len(numbers), _STRIP):  # In double precision, which a large picture has no memory for.
        scaled[at : at + _STRIP] = ((numbers[at : at + _STRIP] - np.float64(low)) / max(high - low, 1e-300)).clip(0, 1)
    if missing.any():
        scaled = np.stack([scaled, (~missing).astype(np.float32)], axis=-1)
    return scaled, Numbers(kind, low, high, bool(missing.any()))


def has_numbers(image: PIL.Image.Image) -> bool:
    """Return whether `numbers_of` is how to read a picture: it has one channel, not of bytes."""
    return image.mode.startswith("I") or image.mode == "F" or (image.mode == "L" and _kind(image) == "int8")


def _kind(image: PIL.Image.Image) -> str:
    """Return the type of a picture's numbers: that of a TIFF file; else what Pillow makes of them."""
    if image.mode == "F":
        return "float32"
    if not isinstance(image, TiffImageFile):
        return "uint16"
    bits, form = (image.tag_v2.get(tag, (1,))[0] for tag in (_BITS, _SAMPLE_FORMAT))
    kind = f"{'int' if form == _SIGNED else 'uint'}{bits}"
    return kind if kind in ("uint12", "int8", "uint16", "int16", "uint32", "int32") else "int32"


def swapped(image: PIL.Image.Image) -> list[Any] | None:
    """Return the tiles with which Pillow decodes the low bytes of a 16-bit colour picture; None for any other.

    Pillow keeps the high byte of each value, or the low one if given the other byte order.
    """
    tiles = []
    for tile, raw in zip(getattr(image, "tile", []), raw_modes(image), strict=True):
        mode, _, order = raw.partition(";16")
        if mode not in ("RGB", "RGBA") or mode != image.mode or order not in ("B", "L", "N"):
            return None
        little = order == "L" or (order == "N" and sys.byteorder == "little")
        other = f"{mode};16{'B' if little else 'L'}"
        tiles.append(tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other))
    return tiles or None


def raw_modes(image: PIL.Image.Image) -> list[str]:
    """Return the raw mode (the layout of the pixels in the file) of each tile that Pillow decodes."""
    layouts = [tile.args for tile in getattr(image, "tile", [])]
    return [str(args[0]) if isinstance(args, tuple) and args else str(args) for args in layouts]
