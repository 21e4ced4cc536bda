"""EXIF data (CIPA DC-008, as in a TIFF file), changed in place so that all else stays as the camera wrote it.

Makers' notes hold positions of their own; data that are taken apart and put together again break them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["settled"]

_PREFIX = b"Exif\0\0"
_ORIENTATION = 0x0112
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)  # ImageWidth and PixelXDimension, and the same for heights.
_EXIF_FOLDER = 0x8769
_THUMBNAIL_START, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_SHORT, _LONG = 3, 4


def settled(exif: bytes, width: int, height: int) -> bytes:
    """Return EXIF data of an upright picture of `width` x `height` pixels, without a prefix.

    The orientation becomes 1, sizes in pixels become these, and a thumbnail, which shows the picture as it was, is
    wiped. Raise ValueError for data that are damaged.
    """
    data = bytearray(exif.removeprefix(_PREFIX))
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        raise ValueError("no byte order")
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        folders = [first]
        for tag, kind, count, at in _entries(data, first, order):
            if tag == _EXIF_FOLDER and kind == _LONG and count == 1:
                folders.append(struct.unpack_from(order + "I", data, at)[0])
        for folder in folders:
            _settle(data, folder, order, width, height)
        return bytes(_without_thumbnail(data, first, order))
    except struct.error as error:
        raise ValueError(str(error)) from error


def _entries(data: bytearray, folder: int, order: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield the tag, the type and the number of values of each entry of a folder (IFD), and where its value is."""
    (count,) = struct.unpack_from(order + "H", data, folder)
    for i in range(count):
        at = folder + 2 + 12 * i
        yield *struct.unpack_from(order + "HHI", data, at), at + 8


def _settle(data: bytearray, folder: int, order: str, width: int, height: int) -> None:
    for tag, kind, count, at in _entries(data, folder, order):
        value = 1 if tag == _ORIENTATION else width if tag in _WIDTHS else height if tag in _HEIGHTS else 0
        if not value or count != 1:
            continue
        if kind == _SHORT and value < 1 << 16:
            struct.pack_into(order + "HH", data, at, value, 0)
        elif kind in (_SHORT, _LONG):
            struct.pack_into(order + "HII", data, at - 6, _LONG, 1, value)


def _without_thumbnail(data: bytearray, first: int, order: str) -> bytearray:
    (count,) = struct.unpack_from(order + "H", data, first)
    pointer = first + 2 + 12 * count
    if len(data) < pointer + 4:
        return data  # Some writers leave out the pointer to the folder of the thumbnail.
    (second,) = struct.unpack_from(order + "I", data, pointer)
    struct.pack_into(order + "I", data, pointer, 0)
    if not second:
        return data
    found = {}
    try:
        for tag, kind, _, at in _entries(data, second, order):
            if kind == _LONG:
                found[tag] = struct.unpack_from(order + "I", data, at)[0]
    except struct.error:
        return data
    start = found.get(_THUMBNAIL_START, 0)
    end = min(start + found.get(_THUMBNAIL_LENGTH, 0), len(data))
    if 0 < start < end:
        data[start:end] = bytes(end - start)
        if end == len(data) and start > pointer:
            del data[start:]
    return data
