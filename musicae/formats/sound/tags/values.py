"""What the tags of a sound file are between reading and writing, and the file below them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

__all__ = ["MAX_BYTES", "Block", "Common", "Picture", "RawFile", "Tags", "read_exactly", "splice"]

MAX_BYTES = 64 * 1024 * 1024
"""The most that tags and covers of one file may take; blocks beyond that are left out."""

_COPIED = 1 << 20  # Bytes moved at a time.


class RawFile(Protocol):
    """A file that is read and changed in place."""

    def read(self, size: int = -1, /) -> bytes: ...  # noqa: D102

    def write(self, data: bytes, /) -> int: ...  # noqa: D102

    def seek(self, place: int, whence: int = 0, /) -> int: ...  # noqa: D102

    def truncate(self, size: int, /) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class Block:
    """A block of metadata as it lies in a file: its name there, and its content. `early`: it came before the sound."""

    name: bytes
    data: bytes
    early: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture in a file: `kind` as in ID3 and FLAC (3 is the front cover), and the bytes of the picture's file."""

    data: bytes
    mime: str = ""
    kind: int = 3
    text: str = ""


@dataclass(frozen=True)
class Common:
    """What tags of all formats can say: fields with the names of Vorbis comments, upper case, and pictures."""

    fields: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Tags:
    """The tags of one file.

    `form` is the format of its file (``"flac"``, ``"ogg"``, ``"mp3"``, ``"wav"``, ``"aiff"``, ``"caf"``; others are
    empty), whose `blocks` these are; of other formats there are only the `common` fields. `rate` is that of its sound
    in Hz, in whose samples markers are counted; 0 if it is not known. `remarks` say what could not be read.
    """

    form: str = ""
    blocks: tuple[Block, ...] = ()
    common: Common | None = None
    rate: int = 0
    remarks: tuple[str, ...] = ()

    def at(self, rate: int) -> Tags:
        """Return the same tags of a sound of that rate in Hz."""
        return replace(self, rate=rate)

    def __bool__(self) -> bool:
        return bool(self.blocks or self.common or self.remarks)


def read_exactly(file: RawFile, size: int) -> bytes:
    """Return the next `size` bytes, or fewer at the end of the file."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def splice(file: RawFile, start: int, end: int, parts: Iterable[bytes]) -> int:
    """Replace the bytes `start` to `end` by `parts`; return the shift in bytes of what follows."""
    new = b"".join(parts)
    size, moved = file.seek(0, 2), len(new) - (end - start)
    if moved > 0:
        at = size
        while at > end:
            count = min(_COPIED, at - end)
            at -= count
            _move(file, at, count, moved)
    elif moved < 0:
        for at in range(end, size, _COPIED):
            _move(file, at, min(_COPIED, size - at), moved)
        file.truncate(size + moved)
    file.seek(start)
    file.write(new)
    return moved


def _move(file: RawFile, at: int, count: int, by: int) -> None:
    file.seek(at)
    data = read_exactly(file, count)
    file.seek(at + by)
    file.write(data)
