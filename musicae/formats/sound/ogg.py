"""Ogg files, which may be chained: several one after another play as one (RFC 3533, section 4)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import name_of
from musicae.formats.sound.kind import BLOCK, Block, Kind, Reader, fold_channels, in_blocks
from musicae.formats.sound.sndfile import reading_sndfile

__all__ = ["Link", "links_of", "reading_ogg", "view"]

_HEADER = 27  # Bytes of a page's header before its table of segments.
_FIRST = re.compile(rb"OggS\x00[\x02\x03\x06\x07]")  # The first page of a stream.
_LARGEST = 65_307  # Bytes of a page.
_SCAN = 2**20  # Bytes searched at once.
_MAX_STREAMS = 10_000
_OPUS_RATE = 48_000  # Of what an Opus stream counts, whatever the rate of its sound.


@dataclass
class Link:
    """The bytes `start` to `end` of an Ogg file, with streams that begin together; the first lasts `seconds`."""

    start: int
    end: int
    seconds: float = 0.0


def links_of(file: BinaryIO, name: str) -> list[Link]:
    """Return the links of an Ogg file, in order; none for a file without a page. The stream is read from its start.

    Raise MusicaeError for more streams than any recording has.
    """
    links: list[Link] = []
    head_end = -1  # Where the first pages of the streams end: another stream of the same link begins there.
    for i, at in enumerate(_first_pages(file)):
        if i >= _MAX_STREAMS:
            raise MusicaeError(f"{name} has more than {_MAX_STREAMS} parts; it is damaged, or cut it into pieces")
        if at != head_end:
            links.append(Link(at, at))
        file.seek(at)
        head = file.read(_HEADER + 255)
        count = head[_HEADER - 1] if len(head) >= _HEADER else 0
        head_end = at + _HEADER + count + sum(head[_HEADER : _HEADER + count])
    ends = [*(link.start for link in links), file.seek(0, io.SEEK_END)][1:]
    for link, end in zip(links, ends, strict=True):
        link.end = end
        link.seconds = _seconds(file, link)
    return links


def _first_pages(file: BinaryIO) -> Iterator[int]:
    """Go through the places of the first pages of streams."""
    at, overlap = 0, len(b"OggS") + 1  # What may lie on both sides of a cut.
    while True:
        file.seek(at)
        data = file.read(_SCAN + overlap)
        if len(data) <= overlap:
            return
        for found in _FIRST.finditer(data):
            yield at + found.start()
        at += _SCAN


def _seconds(file: BinaryIO, link: Link) -> float:
    """Return how long a link is by what its first stream counts on its last page; 0 if that is not known."""
    file.seek(link.start)
    head = file.read(_HEADER + 64)
    body = head[_HEADER + head[_HEADER - 1] :] if len(head) >= _HEADER else b""
    if body[1:7] == b"vorbis" and len(body) >= 16:
        rate, skipped = int.from_bytes(body[12:16], "little"), 0
    elif body[:8] == b"OpusHead" and len(body) >= 12:
        rate, skipped = _OPUS_RATE, int.from_bytes(body[10:12], "little")
    else:
        return 0.0
    start = max(link.start, link.end - _LARGEST)
    file.seek(start)
    tail = file.read(link.end - start)
    last = tail[max(0, tail.rfind(b"OggS\0")) :]
    count = int.from_bytes(last[6:14], "little", signed=True)
    return max(0, count - skipped) / rate if rate else 0.0


def view(file: BinaryIO, link: Link) -> BinaryIO:
    """Return a link as a file of its own, to be read."""
    return io.BufferedReader(_Part(file, link.start, link.end))


class _Part(io.RawIOBase):
    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        super().__init__()
        self.file, self.start, self.end, self.at = file, start, end, start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        self.at = max(self.start, place + (self.start, self.at, self.end)[whence])
        return self.at - self.start

    def tell(self) -> int:
        return self.at - self.start

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.file.seek(self.at)
        data = self.file.read(max(0, min(len(buffer), self.end - self.at)))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)


class _Chain:
    """The links of a file as one sound: those after the first are brought to its rate and channels."""

    def __init__(self, name: str, file: BinaryIO, links: list[Link], first: Kind) -> None:
        self.name, self.file, self.links = name, file, links
        self.kind = first
        self.length: int | None = round(sum(link.seconds for link in links) * first.rate)
        self.remarks: list[str] = []

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Go through the sound; see `Reader`."""
        return in_blocks(self._parts(), size)

    def _parts(self) -> Iterator[Block]:
        import soxr

        rate, lost, seen = self.kind.rate, 0, 0
        for link in self.links:
            try:
                with reading_sndfile(view(self.file, link)) as opened:
                    own = opened.kind.rate
                    resampler = soxr.ResampleStream(own, rate, self.kind.channels, dtype="float32")
                    for block in opened.blocks():
                        block = np.ascontiguousarray(fold_channels(block, self.kind.channels))
                        yield block if own == rate else resampler.resample_chunk(block)
                        seen += len(block)
                    if own != rate:
                        yield resampler.resample_chunk(block[:0], last=True)
            except MusicaeError:
                lost += 1
        if not seen:
            raise MusicaeError(f"{self.name} has no samples in it")
        if lost:
            self.remarks.append(f"{lost} of the {len(self.links)} parts of {self.name} are damaged and were left out")


@contextmanager
def reading_ogg(file: File) -> Iterator[Reader]:
    """Open an Ogg file, a path or a stream, with all of its links. Raise MusicaeError if it cannot be read."""
    with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
        links = links_of(opened, name_of(file))
        if len(links) < 2:
            with reading_sndfile(file) as reader:
                yield reader
            return
        with reading_sndfile(view(opened, links[0])) as first:
            kind = first.kind
        yield _Chain(name_of(file), opened, links, kind)
