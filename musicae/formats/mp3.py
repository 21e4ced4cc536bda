"""The true length of an MP3 file, counted over all of its frames: its header may say less."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from musicae.core import File

__all__ = ["is_frame", "samples_in"]

# Of layer III (ISO/IEC 11172-3 and 13818-3): kbit/s by index, Hz by index; a lower version halves the rates.
_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)
# How a frame begins: found at once in gigabytes of something else.
_SYNC = re.compile(
    rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]["
    + b"".join(re.escape(bytes([byte])) for byte in range(0x10, 0xF0) if byte >> 2 & 3 != 3)
    + rb"]|ID3"
)
_TAG_HEADER = 10  # Bytes of the header of an ID3v2 tag, which may come before the frames.


def samples_in(file: File) -> int:
    """Return the number of samples per channel in all frames of a layer III file; 0 if it has none.

    A stream keeps its position.
    """
    if not isinstance(file, Path):
        position = file.tell()
        file.seek(0)
        total = _count(file.read())
        file.seek(position)
        return total
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _count(data)


def is_frame(header: bytes) -> bool:
    """Tell whether a layer III frame can start with `header` (4 bytes or more)."""
    return len(header) >= 4 and _frame(header[:4])[0] > 0


def _count(data: bytes | mmap.mmap) -> int:
    at = total = 0
    while at < len(data) - 4:
        if data[at : at + 3] == b"ID3":
            size = data[at + 6 : at + _TAG_HEADER]
            at += _TAG_HEADER + sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=False))
            continue
        length, samples = _frame(data[at : at + 4])
        if not length:  # Not a frame: the next one begins at the next sync word.
            found = _SYNC.search(data, at + 1)
            if not found:
                break
            at = found.start()
            continue
        at += length
        total += samples
    return total


def _frame(header: bytes) -> tuple[int, int]:
    """Return the bytes and the samples of the frame with this header of 4 bytes; 0 and 0 if it is not one."""
    first, second, third, _ = header
    version = {3: 1, 2: 2, 0: 3}.get(second >> 3 & 3)  # 3 is MPEG 2.5.
    if first != 0xFF or second & 0xE6 != 0xE2 or version is None or third >> 4 in (0, 15) or third >> 2 & 3 == 3:
        return 0, 0
    rate = _RATES[third >> 2 & 3] >> (version - 1)
    samples = 1152 if version == 1 else 576
    return samples * 125 * _KBITS[min(version, 2)][third >> 4] // rate + (third >> 1 & 1), samples
