"""Sound files, block by block: what soundfile reads and writes, and what PyAV reads besides, where it is installed."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import MusicaeError, OutputError
from ..whole import whole

__all__ = ["AV_SUFFIXES", "SUFFIXES", "Kind", "Reader", "Writer", "kind_like", "reading", "too_loud", "writing"]

Block = NDArray[np.float32]

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64")
AV_SUFFIXES = (".g722", ".m4a", ".aac", ".mp4", ".wma", ".webm")
_BLOCK = 65_536  # Frames read at a time.
_FORMATS = {".aif": "AIFF", ".aifc": "AIFF", ".opus": "OGG", ".aiff": "AIFF"}


@dataclass(frozen=True)
class Kind:
    """What a sound file is like: `rate` in Hz, `channels`, and soundfile's names of its `format` and `subtype`."""

    rate: int
    channels: int
    format: str = "WAV"
    subtype: str = "PCM_16"

    @property
    def exact(self) -> bool:
        """Whether samples beyond -1 .. 1 are kept: of floating point."""
        return self.subtype in ("FLOAT", "DOUBLE")


class Reader(Protocol):
    """An open sound file. `length` is in frames, None where it is known only at the end."""

    kind: Kind
    length: int | None

    def blocks(self, size: int = _BLOCK) -> Iterator[Block]:
        """Go through the file, ``(frames, channels)`` float32 at a time, `size` frames but for the last."""


class _SoundFile:
    def __init__(self, path: Path, file: Any) -> None:
        self.path, self.file = path, file
        self.kind = Kind(file.samplerate, file.channels, file.format, file.subtype)
        self.length: int | None = file.frames

    def blocks(self, size: int = _BLOCK) -> Iterator[Block]:
        import soundfile

        seen = 0
        while True:
            try:
                block = self.file.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise MusicaeError(f"{self.path} is damaged after {_time(seen, self.kind)}: {error}") from None
            if not len(block):
                break
            if not np.isfinite(block).all():
                at = seen + int(np.flatnonzero(~np.isfinite(block).all(1))[0])
                raise MusicaeError(
                    f"{self.path} has a sample that is no number at {_time(at, self.kind)}; mend it first"
                )
            seen += len(block)
            yield block
        if not seen:
            raise MusicaeError(f"{self.path} has no samples in it")
        if self.length is not None and seen < self.length and self.kind.format == "FLAC":
            raise MusicaeError(f"{self.path} is cut short: it ends after {_time(seen, self.kind)}")


class _Av:
    def __init__(self, path: Path, container: Any) -> None:
        self.path, self.container = path, container
        stream = container.streams.audio[0]
        rate = stream.rate or stream.codec_context.sample_rate
        self.kind = Kind(int(rate), stream.codec_context.channels or 1)
        self.length: int | None = None

    def blocks(self, size: int = _BLOCK) -> Iterator[Block]:
        import av

        resampler = av.AudioResampler(format="fltp", rate=self.kind.rate)
        waiting: list[Block] = []
        held = 0
        try:
            for frame in self.container.decode(audio=0):
                for part in resampler.resample(frame):
                    waiting.append(part.to_ndarray().T.astype(np.float32))
                    held += len(waiting[-1])
                if held >= size:
                    joined = np.concatenate(waiting)
                    whole_blocks = held // size * size
                    yield from np.split(joined[:whole_blocks], whole_blocks // size)
                    waiting, held = [joined[whole_blocks:]], held - whole_blocks
        except av.error.FFmpegError as error:
            raise MusicaeError(f"{self.path} is damaged: {error.strerror or error}") from None
        if held:
            yield np.concatenate(waiting)


def _time(frames: int, kind: Kind) -> str:
    return f"{frames / kind.rate:.3f} s"


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open a sound file to be read. Raise MusicaeError, one line, for what is not one."""
    import soundfile

    if path.is_dir():
        raise MusicaeError(f"{path} is a folder; name a sound file in it")
    if not path.is_file():
        raise MusicaeError(f"there is no file {path}; check the name")
    if not path.stat().st_size:
        raise MusicaeError(f"{path} is empty")
    if path.suffix.lower() in AV_SUFFIXES:
        with _opened_av(path) as reader:
            yield reader
        return
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise MusicaeError(f"{path} is no sound file that can be read: {_why(error)}") from None
    with file:
        yield _SoundFile(path, file)


@contextmanager
def _opened_av(path: Path) -> Iterator[Reader]:
    if importlib.util.find_spec("av") is None:
        raise MusicaeError(f"{path} needs PyAV to be read; pip install 'musicae[av]', or convert it to WAV")
    import av

    options: dict[str, Any] = {"format": "g722"} if path.suffix.lower() == ".g722" else {}
    try:
        container = av.open(str(path), **options)
    except (av.error.FFmpegError, OSError) as error:
        raise MusicaeError(f"{path} is no sound file that can be read: {error}") from None
    with container:
        if not container.streams.audio:
            raise MusicaeError(f"{path} has no sound in it")
        yield _Av(path, container)


def _why(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip(". ")


def kind_like(kind: Kind, path: Path) -> Kind:
    """Return the kind of the file `path` that is to hold what a file of `kind` held: the same, or as its suffix asks.

    Raise MusicaeError for a suffix that cannot be written, or a rate that its format does not know.
    """
    import soundfile

    suffix = path.suffix.lower()
    name = _FORMATS.get(suffix, suffix.removeprefix(".").upper())
    if suffix not in SUFFIXES:
        raise MusicaeError(f"{path}: sound is written as {', '.join(SUFFIXES[:6])}; name a file that ends so")
    subtype = kind.subtype
    if name != kind.format and not (name == "WAV" and kind.format in ("WAVEX", "WAV")):
        # Another format: what it can keep of the old one's subtype, else its own usual one.
        if suffix == ".opus":
            subtype = "OPUS"
        elif not (subtype.startswith(("PCM", "FLOAT")) and soundfile.check_format(name, subtype)):
            subtype = "PCM_24" if name == "FLAC" and kind.exact else soundfile.default_subtype(name)
    else:
        name = kind.format
    if not soundfile.check_format(name, subtype):
        subtype = soundfile.default_subtype(name)
    return Kind(kind.rate, kind.channels, name, subtype)


class Writer:
    """A sound file being written; it counts what does not fit."""

    def __init__(self, file: Any, kind: Kind) -> None:
        self.file, self.kind, self.clipped, self.peak, self.length = file, kind, 0, 0.0, 0

    def write(self, block: Block) -> None:
        """Write ``(frames, channels)``; what an integer format cannot hold is cut at -1 and 1, and counted."""
        if not len(block):
            return
        size = np.abs(block)
        self.peak = max(self.peak, float(size.max()))
        if not self.kind.exact:
            self.clipped += int((size > 1.0).any(1).sum())
            block = np.clip(block, -1.0, 1.0)
        self.file.write(block)
        self.length += len(block)

    def remark(self) -> str | None:
        """Return a line that says what was cut off, if anything."""
        return too_loud(self.clipped, self.peak, self.kind)


def too_loud(clipped: int, peak: float, kind: Kind) -> str | None:
    """Return a line that says how many samples of what `peak` were cut at full scale, None if none were."""
    if not clipped:
        return None
    over = 20 * math.log10(peak)
    return f"{clipped} samples were up to {over:.1f} dB too loud for {kind.subtype} and were cut at full scale"


@contextmanager
def writing(path: Path, kind: Kind) -> Iterator[Writer]:
    """Open a sound file to be written, which appears whole or not at all.

    Raise OutputError where it cannot be written, or the format does not take such a rate or so many channels.
    """
    import soundfile

    with whole(path) as temporary:
        try:
            file = soundfile.SoundFile(
                temporary, "w", kind.rate, kind.channels, subtype=kind.subtype, format=kind.format
            )
        except (soundfile.LibsndfileError, ValueError) as error:
            if not path.parent.is_dir():
                raise OutputError(f"there is no folder {path.parent}; make it first") from None
            raise OutputError(
                f"{path} cannot be written as {kind.format} {kind.subtype} with {kind.channels} channels at "
                f"{kind.rate} Hz ({_why(error)}); name a .wav file with -o"
            ) from None
        with file:
            writer = Writer(file, kind)
            try:
                yield writer
            except soundfile.LibsndfileError as error:
                raise OutputError(f"{path} cannot be written: {_why(error)}") from None
            except AssertionError:  # soundfile's own: less was written than given.
                raise OutputError(f"{path} cannot be written: is the disk full?") from None
