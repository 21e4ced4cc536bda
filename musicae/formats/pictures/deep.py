"""PNG and TIFF files with pixels that Pillow cannot write: colours of 16 bits, and numbers of other types."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from PIL.TiffTags import LONG

__all__ = ["Numbers", "write_png", "write_tiff"]

_BAND = 1 << 20  # Bytes of pixels compressed at a time.
_ALPHA = 2  # What the fourth channel of a TIFF is: transparency by which the colours are not multiplied.
_FORMATS = {"u": 1, "i": 2, "f": 3}  # TIFF 6.0, tag SampleFormat.


@dataclass(frozen=True)
class Numbers:
    """What the values 0 .. 1 of a picture are in its file: `kind` is ``"uint12"`` or NumPy's name of a type.

    0 stands for the number `low`, 1 for `high`; `missing` says that where the picture is transparent there is none.
    """

    kind: str
    low: float
    high: float
    missing: bool = False

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers ``(H, W, C)`` of values in 0 .. 1."""
        numbers = self.low + (self.high - self.low) * values.astype(np.float64)
        kind = np.dtype("uint16" if self.kind == "uint12" else self.kind)
        return numbers.astype(kind) if kind.kind == "f" else numbers.round().astype(kind)


def write_png(
    file: BinaryIO,
    values: NDArray[np.uint16],
    dpi: tuple[float, float] | None = None,
    profile: bytes | None = None,
    exif: bytes = b"",
    info: PngInfo | None = None,
) -> None:
    """Write ``(H, W, 3)`` or ``(H, W, 4)`` of 16 bits (W3C PNG, 3rd ed.)."""
    height, width, channels = values.shape
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0))
    if profile:
        _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    for name, content, *_ in info.chunks if info else ():
        _chunk(file, name, content)
    if dpi:  # In dots a metre.
        _chunk(file, b"pHYs", struct.pack(">IIB", *(round(axis / 0.0254) for axis in dpi), 1))
    if exif:
        _chunk(file, b"eXIf", exif.removeprefix(b"Exif\0\0"))
    packer = zlib.compressobj()
    above = np.zeros(2 * channels * width, np.uint8)
    for band in _bands(values):
        pixels = np.ascontiguousarray(band, ">u2").view(np.uint8).reshape(len(band), -1)
        rows = np.empty((len(band), 1 + pixels.shape[1]), np.uint8)  # Each begins with its filter: 2, the row above.
        rows[:, 0] = 2
        rows[0, 1:] = pixels[0] - above
        rows[1:, 1:] = pixels[1:] - pixels[:-1]
        above = pixels[-1]
        _chunk(file, b"IDAT", packer.compress(rows.tobytes()))
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, name: bytes, content: bytes) -> None:
    if content or name == b"IEND":
        file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content)))


def _bands(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    step = max(1, _BAND // max(1, values[0].nbytes))
    for at in range(0, len(values), step):
        yield values[at : at + step]


def write_tiff(
    file: BinaryIO,
    values: NDArray[Any],
    numbers: Numbers | None = None,
    dpi: tuple[float, float] | None = None,
    profile: bytes | None = None,
    tags: Mapping[int, Any] | None = None,
) -> None:
    """Write ``(H, W, C)`` of any type, 2 and 4 channels with transparency, compressed (TIFF 6.0).

    With `numbers` they are values 0 .. 1 of one channel, with a second one where there is a number at all. `tags` are
    written as they are.
    """
    if numbers is not None:
        numbered = numbers.of(values[..., :1])
        if numbers.missing:
            numbered[values[..., 1] < 0.5] = np.nan
        values = numbered
    twelve = numbers is not None and numbers.kind == "uint12"
    height, width, channels = values.shape
    bits = 12 if twelve else 8 * values.itemsize
    strips = [zlib.compress((_twelve_bits(band) if twelve else _little(band)).tobytes()) for band in _bands(values)]
    table = ImageFileDirectory_v2()
    for tag, value in (tags or {}).items():
        table[tag] = value
    starts = np.cumsum([0, *map(len, strips[:-1])]).tolist()
    table.tagtype |= {273: LONG, 278: LONG, 279: LONG}
    table[256], table[257] = width, height
    table[258] = (bits,) * channels
    table[259], table[262] = 8, 1 if channels < 3 else 2
    table[273], table[279] = tuple(starts), tuple(map(len, strips))
    table[277], table[278] = channels, len(next(_bands(values)))
    table[339] = (_FORMATS[values.dtype.kind],) * channels
    if channels in (2, 4):
        table[338] = _ALPHA
    if dpi:
        table[282], table[283], table[296] = *dpi, 2
    if profile:
        table[34675] = profile
    table.save(file)
    for strip in strips:
        file.write(strip)


def _little(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))


def _twelve_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Pack two values ``(H, W, 1)`` into three bytes, each row into whole bytes."""
    rows = values[..., 0]
    odd = rows.shape[1] % 2
    pairs = np.pad(rows, ((0, 0), (0, odd))).reshape(len(rows), -1, 2)
    first, second = pairs[..., 0], pairs[..., 1]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8)
    packed = packed.reshape(len(rows), -1)
    return np.ascontiguousarray(packed[:, :-1] if odd else packed)
