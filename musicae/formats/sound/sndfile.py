"""Sound that libsndfile decodes, block by block."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import name_of
from musicae.formats.quiet import quiet
from musicae.formats.sound.kind import BLOCK, Block, Kind, check_block, check_kind, reason, seconds

__all__ = ["NotKnownError", "SndFile", "reading_sndfile"]

_UNKNOWN_LENGTH = 2**62  # From here up, what libsndfile reports for a file that does not give its length.


class NotKnownError(MusicaeError):
    """A file that libsndfile does not take for sound; something else may."""


class SndFile:
    """An open file of sound, as `Reader` says."""

    def __init__(self, name: str, file: Any) -> None:
        self.name, self.file = name, file
        self.kind = Kind(file.samplerate, file.channels, file.format, file.subtype)
        self.length: int | None = file.frames if file.frames < _UNKNOWN_LENGTH else None
        self.remarks: list[str] = []

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Go through the sound; see `Reader`. Raise MusicaeError where it is damaged."""
        import soundfile

        seen, rate = 0, self.kind.rate
        # Their decoders print what is wrong with a file.
        prints = self.kind.subtype.startswith("MPEG") or self.kind.format == "SDS"
        while True:
            try:
                with quiet() if prints else nullcontext():
                    block = self.file.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise MusicaeError(f"{self.name} is damaged after {seconds(seen, rate)}: {error}") from None
            if not len(block):
                break
            check_block(block, seen, self.name, rate)
            seen += len(block)
            yield block
        if not seen:
            raise MusicaeError(f"{self.name} has no samples in it")
        if self.length is not None and seen < self.length and self.kind.format == "FLAC":
            raise MusicaeError(f"{self.name} is cut short: it ends after {seconds(seen, rate)}")
        if self.length is not None and seen < 0.95 * self.length:
            lengths = f"{seconds(seen, rate)} long, but its header says {seconds(self.length, rate)}"
            self.remarks.append(f"{self.name} is {lengths}; its end may be missing")


@contextmanager
def reading_sndfile(file: File) -> Iterator[SndFile]:
    """Open a file of sound, a path or a stream, by libsndfile. Raise NotKnownError for what it does not know."""
    import soundfile

    class Sequential(soundfile.SoundFile):  # type: ignore[misc]
        """Read without seeking: soundfile seeks after each block, which some files cannot do, or not exactly."""

        def seekable(self) -> bool:
            return False

    name = name_of(file)
    try:
        with quiet():
            opened = Sequential(_for_soundfile(file))
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise NotKnownError(f"{name} is not a sound file that can be read: {reason(error)}") from None
    with opened:
        if opened.format == "RAW":  # It knows nothing but the suffix, and would take any text for sound.
            raise NotKnownError(f"{name} is not a sound file that can be read: Format not recognised")
        made = SndFile(name, opened)
        check_kind(made.kind, name)
        yield made


def _for_soundfile(file: File) -> Any:
    if isinstance(file, Path):
        return str(file) if os.name == "nt" else os.fsencode(file)
    file.seek(0)
    return file
