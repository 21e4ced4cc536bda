"""The true length and bit rate of an MP3 file, counted over all of its frames: its header may say something else."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

from musicae.core import File

__all__ = ["Frames", "frames_in", "is_frame"]

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
_HEADER_SIZE = 200  # Bytes in which the header of Xing and LAME lies.
_TAG_HEADER = 10  # Bytes of the header of an ID3v2 tag, which may come before the frames.
_QUALITY_STEPS = 10  # Of LAME's header: 100 less ten times its -V.


@dataclass
class Frames:
    """All frames of a layer III file, without one that only holds a header.

    `samples` are those of each channel, `size` is in bytes, `kbits` are the bit rates of the first frames, at most two
    different ones. `quality` is LAME's ``-V`` and -1 if it is not known, `average` whether it aimed at a bit rate.
    """

    samples: int = 0
    size: int = 0
    kbits: tuple[int, ...] = ()
    quality: int = -1
    average: bool = False

    @property
    def constant(self) -> bool:
        """Whether all frames have one bit rate."""
        return len(self.kbits) == 1


def frames_in(file: File) -> Frames:
    """Count the frames of a layer III file. A stream keeps its position."""
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


def _count(data: bytes | mmap.mmap) -> Frames:
    found = Frames()
    at = 0
    while at < len(data) - 4:
        if data[at : at + 3] == b"ID3":
            size = data[at + 6 : at + _TAG_HEADER]
            at += _TAG_HEADER + sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=False))
            continue
        length, samples, kbits = _frame(data[at : at + 4])
        if not length:  # Not a frame: the next one begins at the next sync word.
            sync = _SYNC.search(data, at + 1)
            if not sync:
                break
            at = sync.start()
            continue
        found.samples += samples
        if found.size or not _read_header(data[at : at + min(length, _HEADER_SIZE)], found):
            found.size += length
            if len(found.kbits) < 2 and kbits not in found.kbits:
                found.kbits += (kbits,)
        at += length
    return found


def _read_header(frame: bytes, found: Frames) -> bool:
    """Tell whether a frame holds the header of Xing or LAME instead of sound, and take what it says."""
    mark = max(frame.find(b"Xing"), frame.find(b"Info"))
    if mark < 0:
        return False
    flags = frame[mark + 7] if len(frame) > mark + 7 else 0
    at = mark + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1)
    if flags & 8 and len(frame) >= at + 14 and frame[at + 4 : at + 8] == b"LAME":
        scale = int.from_bytes(frame[at : at + 4], "big")
        if scale <= 100:
            found.quality = (100 - scale) // _QUALITY_STEPS
        found.average = frame[at + 13] & 15 in (2, 9)
    return True


def _frame(header: bytes) -> tuple[int, int, int]:
    """Return the bytes, the samples and the kbit/s of the frame with this header of 4 bytes; zeros if it is none."""
    first, second, third, _ = header
    version = {3: 1, 2: 2, 0: 3}.get(second >> 3 & 3)  # 3 is MPEG 2.5.
    if first != 0xFF or second & 0xE6 != 0xE2 or version is None or third >> 4 in (0, 15) or third >> 2 & 3 == 3:
        return 0, 0, 0
    rate = _RATES[third >> 2 & 3] >> (version - 1)
    samples = 1152 if version == 1 else 576
    kbits = _KBITS[min(version, 2)][third >> 4]
    return samples * 125 * kbits // rate + (third >> 1 & 1), samples, kbits
