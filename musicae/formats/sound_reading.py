"""Reading sound files block by block: by soundfile, or by PyAV what that does not know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.av_files import AV_SUFFIXES, is_av, reading_av
from musicae.formats.files import check_input, name_of, suffix_of
from musicae.formats.mp3 import is_frame, samples_in
from musicae.formats.sound_kind import BLOCK, MAX_AMPLITUDE, Block, Kind, Reader, reason

__all__ = ["is_sound", "reading"]

_UNKNOWN_LENGTH = 2**62  # From here up, what libsndfile reports for a file that does not give its length.
_LENGTH_TOLERANCE = 1.02  # How much longer than its header says an MP3 may be before PyAV reads it.


def is_sound(head: bytes) -> bool:
    """Tell whether a file that begins with `head` (12 bytes or more) is a sound file of a known format."""
    forms = (b"WAVE", b"AIFF", b"AIFC")
    if head[:4] in (b"RIFF", b"RF64", b"FORM") and head[8:12] in forms:
        return True
    if head[:4] in (b"fLaC", b"OggS", b".snd", b"caff", b"riff"):
        return True
    return head[:3] == b"ID3" or is_frame(head) or is_av(head)


@contextmanager
def reading(file: File) -> Iterator[Reader]:
    """Open a sound file, a path or a stream, to read it. Raise MusicaeError, one line, for anything else."""
    import soundfile

    check_input(file, "a sound file")
    if suffix_of(file) in AV_SUFFIXES or (not isinstance(file, Path) and is_av(_head(file))):
        with reading_av(file) as reader:
            yield reader
        return

    class Sequential(soundfile.SoundFile):  # type: ignore[misc]
        """Read without seeking: soundfile seeks after each block, which some files cannot do, or not exactly."""

        def seekable(self) -> bool:
            return False

    try:
        opened = Sequential(_for_soundfile(file))
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise MusicaeError(f"{name_of(file)} is not a sound file that can be read: {reason(error)}") from None
    with opened:
        if opened.format == "MP3" and samples_in(file) > _LENGTH_TOLERANCE * opened.frames + opened.samplerate:
            # Its header has no length, or a wrong one, and libsndfile stops there.
            with reading_av(file, "is longer than its header says, and") as reader:
                yield reader
        else:
            yield _SoundFile(name_of(file), opened)


def _for_soundfile(file: File) -> Any:
    if isinstance(file, Path):
        return str(file) if os.name == "nt" else os.fsencode(file)
    file.seek(0)
    return file


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    return head


class _SoundFile:
    def __init__(self, name: str, file: Any) -> None:
        self.name, self.file = name, file
        self.kind = Kind(file.samplerate, file.channels, file.format, file.subtype)
        self.length: int | None = file.frames if file.frames < _UNKNOWN_LENGTH else None
        self.remarks: list[str] = []

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        import soundfile

        seen = 0
        while True:
            try:
                block = self.file.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise MusicaeError(f"{self.name} is damaged after {_time(seen, self.kind)}: {error}") from None
            if not len(block):
                break
            if not (good := np.abs(block) <= MAX_AMPLITUDE).all():  # False for NaN, too.
                at = seen + int(np.flatnonzero(~good.all(1))[0])
                raise MusicaeError(f"{self.name} has a sample that is not a number at {_time(at, self.kind)}")
            seen += len(block)
            yield block
        if not seen:
            raise MusicaeError(f"{self.name} has no samples in it")
        if self.length is not None and seen < self.length and self.kind.format == "FLAC":
            raise MusicaeError(f"{self.name} is cut short: it ends after {_time(seen, self.kind)}")
        if self.length is not None and seen < 0.95 * self.length:
            lengths = f"{_time(seen, self.kind)} long, but its header says {_time(self.length, self.kind)}"
            self.remarks.append(f"{self.name} is {lengths}; its end may be missing")


def _time(frames: int, kind: Kind) -> str:
    return f"{frames / kind.rate:.3f} s"
