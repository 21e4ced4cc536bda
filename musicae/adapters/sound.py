"""Sound files, block by block: what soundfile reads and writes, and what PyAV reads besides, where it is installed."""

from __future__ import annotations

import importlib.util
import math
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import MusicaeError, OutputError
from ..whole import whole
from .mpeg import samples_in

__all__ = [
    "AV_SUFFIXES",
    "SUFFIXES",
    "Kind",
    "Reader",
    "Writer",
    "kind_like",
    "kind_of",
    "reading",
    "too_loud",
    "writing",
]

Block = NDArray[np.float32]

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64")
AV_SUFFIXES = (".g722", ".m4a", ".aac", ".mp4", ".wma", ".webm")
_BLOCK = 65_536  # Frames read or written at a time.
_UNKNOWN = 2**62  # Frames of a file that does not say how many it has.
_GUESSED = 1.02  # A length that was guessed may be that much too short before another reader is asked.
_LOUDEST = 1e6  # What is beyond is no sound: a number read as one that is none.
_MOST = 4_000_000_000  # Bytes that a plain WAV file may hold.
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
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
    """An open sound file. `length` is in frames, None where it is known only at the end; `remarks` are for people."""

    kind: Kind
    length: int | None
    remarks: list[str]

    def blocks(self, size: int = _BLOCK) -> Iterator[Block]:
        """Go through the file, ``(frames, channels)`` float32 at a time, `size` frames but for the last."""


class _SoundFile:
    def __init__(self, path: Path, file: Any) -> None:
        self.path, self.file = path, file
        self.kind = Kind(file.samplerate, file.channels, file.format, file.subtype)
        self.length: int | None = file.frames if file.frames < _UNKNOWN else None
        self.remarks: list[str] = []

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
            if not (good := np.abs(block) <= _LOUDEST).all():  # Nor is one that is no number.
                at = seen + int(np.flatnonzero(~good.all(1))[0])
                raise MusicaeError(f"{self.path} has a sample that is no number at {_time(at, self.kind)}")
            seen += len(block)
            yield block
        if not seen:
            raise MusicaeError(f"{self.path} has no samples in it")
        if self.length is not None and seen < self.length and self.kind.format == "FLAC":
            raise MusicaeError(f"{self.path} is cut short: it ends after {_time(seen, self.kind)}")
        if self.length is not None and seen < 0.95 * self.length:
            said = f"{_time(seen, self.kind)} long, where it says {_time(self.length, self.kind)}"
            self.remarks.append(f"{self.path} is {said}; its end may be missing")


class _Av:
    def __init__(self, path: Path, container: Any) -> None:
        self.path, self.container = path, container
        stream = container.streams.audio[0]
        rate = stream.rate or stream.codec_context.sample_rate
        self.kind = Kind(int(rate), stream.codec_context.channels or 1)
        self.length: int | None = None
        if container.duration:  # In microseconds, and not to the sample.
            self.length = round(container.duration / 1e6 * self.kind.rate)
        self.remarks: list[str] = []

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

    class Straight(soundfile.SoundFile):  # type: ignore[misc]
        """Read straight on: soundfile else seeks after each block, which some files cannot do, or not well."""

        def seekable(self) -> bool:
            return False

    try:
        file = Straight(str(path) if os.name == "nt" else os.fsencode(path))
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise MusicaeError(f"{path} is no sound file that can be read: {_why(error)}") from None
    with file:
        if file.format == "MP3" and samples_in(path) > _GUESSED * file.frames + file.samplerate:
            # It does not say its length, or the length of a part, and libsndfile reads no further.
            with _opened_av(path, "says that it is shorter than it is, and") as reader:
                yield reader
        else:
            yield _SoundFile(path, file)


@contextmanager
def _opened_av(path: Path, why: str = "") -> Iterator[Reader]:
    if importlib.util.find_spec("av") is None:
        said = f"{path} {why}".strip()
        raise MusicaeError(f"{said} needs PyAV to be read; pip install 'musicae[av]', or convert it to WAV")
    import av

    options: dict[str, Any] = {"format": "g722"} if path.suffix.lower() == ".g722" else {}
    try:
        container = av.open(f"file:{path}", **options)  # Else a colon in a name would be taken for a protocol.
    except (av.error.FFmpegError, OSError) as error:
        raise MusicaeError(f"{path} is no sound file that can be read: {error}") from None
    with container:
        if not container.streams.audio:
            raise MusicaeError(f"{path} has no sound in it")
        yield _Av(path, container)


def _why(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip(". ")


def kind_of(facts: dict[str, Any]) -> Kind:
    """Return the kind that `dataclasses.asdict` made `facts` of. Raise MusicaeError for others."""
    try:
        kind = Kind(**facts)
        right = all(isinstance(value, int) and value > 0 for value in (kind.rate, kind.channels))
        if right and all(isinstance(value, str) for value in (kind.format, kind.subtype)):
            return kind
    except TypeError:
        pass
    raise MusicaeError(f"{facts} is no kind of sound file: it needs rate and channels, format and subtype")


def kind_like(kind: Kind, path: Path, frames: int | None = None) -> Kind:
    """Return the kind of the file `path` that is to hold what a file of `kind` held: the same, or as its suffix asks.

    A WAV file for so many `frames` that it cannot hold them is one of the larger kind, RF64.
    Raise MusicaeError for a suffix that cannot be written.
    """
    import soundfile

    suffix = path.suffix.lower()
    name = _FORMATS.get(suffix, suffix.removeprefix(".").upper())
    if suffix not in SUFFIXES:
        raise MusicaeError(f"{path}: sound is written as {', '.join(SUFFIXES[:6])}; name a file that ends so")
    subtype = kind.subtype
    if name == "WAV" and kind.format in ("WAV", "WAVEX", "RF64"):
        name = kind.format
    if suffix == ".opus":
        subtype = "OPUS"
    elif "ADPCM" in subtype:  # It comes in blocks, and what is written would be longer.
        subtype = "PCM_16"
    elif name == "FLAC" and (kind.exact or subtype == "PCM_32"):
        subtype = "PCM_24"
    elif name != kind.format and not (subtype.startswith(("PCM", "FLOAT")) and soundfile.check_format(name, subtype)):
        subtype = soundfile.default_subtype(name)
    if not soundfile.check_format(name, subtype):
        subtype = soundfile.default_subtype(name)
    size = 8 if subtype == "DOUBLE" else _BITS.get(subtype, 32) // 8
    if name in ("WAV", "WAVEX") and (frames or 0) * kind.channels * size > _MOST:
        name = "RF64"
    return Kind(kind.rate, kind.channels, name, subtype)


class _Sink:
    """The file under a sound file that is written: it remembers what went wrong, which soundfile forgets at the end."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file, self.path, self.error = file, path, ""

    def check(self) -> None:
        """Raise OutputError if something went wrong."""
        if self.error:
            raise OutputError(f"{self.path} cannot be written: {self.error}")

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while len(left):  # Of a disk that is nearly full less is taken at first.
                left = left[self.file.write(left) :]
        except OSError as error:
            self.error = self.error or error.strerror or str(error)
        return len(data)

    def seek(self, place: int, whence: int = 0) -> int:
        return self.file.seek(place, whence)

    def tell(self) -> int:
        return self.file.tell()

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)

    def flush(self) -> None:
        try:
            self.file.flush()
        except OSError as error:
            self.error = self.error or error.strerror or str(error)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off Ctrl-C and the signal to end: an exception while the library calls us back would be lost."""
    late: list[int] = []
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {number: handler for number, handler in before.items() if handler is not None}
    for number in before:
        signal.signal(number, lambda number, frame: late.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if late:
            signal.raise_signal(late[0])


class Writer:
    """A sound file being written; it counts what does not fit."""

    def __init__(self, file: Any, kind: Kind, sink: _Sink) -> None:
        self.file, self.kind, self.clipped, self.peak, self.length = file, kind, 0, 0.0, 0
        self._sink = sink

    def write(self, block: Block) -> None:
        """Write ``(frames, channels)``; what an integer format cannot hold is cut at -1 and 1, and counted."""
        for at in range(0, len(block), _BLOCK):  # Some encoders end badly on more at once.
            self._write(block[at : at + _BLOCK])

    def _write(self, block: Block) -> None:
        size = np.abs(block)
        self.peak = max(self.peak, float(size.max()))
        if not self.kind.exact:
            self.clipped += int((size > 1.0).any(1).sum())
            block = np.clip(block, -1.0, 1.0)
        if bits := _BITS.get(self.kind.subtype):  # What soundfile would cut off is rounded.
            top = 2.0 ** (bits - 1)
            block = (np.rint(block.astype(np.float64) * top) / top).clip(-1.0, 1.0 - 1.0 / top)
        with _undisturbed():
            self.file.write(block)
        self._sink.check()
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

    Raise OutputError where it cannot be written, MusicaeError where the format does not take such a rate or so many
    channels.
    """
    import soundfile

    with whole(path) as temporary, temporary.open("wb+", buffering=0) as raw:
        sink = _Sink(raw, path)
        try:
            with _undisturbed():
                file = soundfile.SoundFile(
                    sink, "w", kind.rate, kind.channels, subtype=kind.subtype, format=kind.format
                )
        except (soundfile.LibsndfileError, ValueError) as error:
            raise MusicaeError(
                f"{path} cannot be written as {kind.format} {kind.subtype} with {kind.channels} channels at "
                f"{kind.rate} Hz ({_why(error)}); name a .wav file with -o"
            ) from None
        try:
            try:
                yield Writer(file, kind, sink)
            finally:
                with _undisturbed():
                    file.close()
        except soundfile.LibsndfileError as error:
            raise OutputError(f"{path} cannot be written: {sink.error or _why(error)}") from None
        sink.check()
