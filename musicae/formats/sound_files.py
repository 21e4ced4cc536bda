"""Sound files, block by block: read and written by soundfile, and more formats read by PyAV, if it is installed."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.errors import MusicaeError, OutputError
from musicae.formats.files import check_input, name_of, output, suffix_of
from musicae.formats.mp3 import is_frame, samples_in
from musicae.formats.signals import defer_signals

__all__ = [
    "AV_SUFFIXES",
    "MAX_AMPLITUDE",
    "SUFFIXES",
    "Block",
    "Kind",
    "Reader",
    "Writer",
    "clipping_remark",
    "is_sound",
    "kind_like",
    "kind_of",
    "reading",
    "writing",
]

Block = NDArray[np.float32]
"""Samples ``(frames, channels)``, full scale at -1 and 1."""

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64")
"""File endings that are read and written."""

AV_SUFFIXES = (".g722", ".m4a", ".aac", ".mp4", ".wma", ".webm")
"""File endings that are read if PyAV is installed."""

MAX_AMPLITUDE = 1e6
"""A larger sample is not sound but damage: bytes that were not a floating-point number."""

_BLOCK = 65_536  # Frames read or written at a time.
_UNKNOWN_LENGTH = 2**62  # From here up, what libsndfile reports for a file that does not give its length.
_LENGTH_TOLERANCE = 1.02  # How much longer than its header says an MP3 may be before PyAV reads it.
_MAX_WAV_BYTES = 4_000_000_000
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_FORMATS = {".aif": "AIFF", ".aifc": "AIFF", ".opus": "OGG", ".aiff": "AIFF"}
_WRITTEN = ("WAV", "WAVEX", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64")  # The formats of SUFFIXES.
_ASF = bytes.fromhex("3026b2758e66cf11")  # Windows Media.


@dataclass(frozen=True)
class Kind:
    """What a sound file holds: `rate` in Hz, `channels`, and its `format` and `subtype` as soundfile names them."""

    rate: int
    channels: int
    format: str = "WAV"
    subtype: str = "PCM_16"

    @property
    def exact(self) -> bool:
        """Whether it keeps samples beyond full scale, as floating-point formats do."""
        return self.subtype in ("FLOAT", "DOUBLE")


class Reader(Protocol):
    """An open sound file. `length` is in frames, None if unknown before the end; `remarks` are for the user."""

    kind: Kind
    length: int | None
    remarks: list[str]

    def blocks(self, size: int = _BLOCK) -> Iterator[Block]:
        """Go through the file in float32 blocks ``(frames, channels)``, all but the last of `size` frames."""


class _SoundFile:
    def __init__(self, name: str, file: Any) -> None:
        self.name, self.file = name, file
        self.kind = Kind(file.samplerate, file.channels, file.format, file.subtype)
        self.length: int | None = file.frames if file.frames < _UNKNOWN_LENGTH else None
        self.remarks: list[str] = []

    def blocks(self, size: int = _BLOCK) -> Iterator[Block]:
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


class _Av:
    def __init__(self, name: str, container: Any) -> None:
        self.name, self.container = name, container
        stream = container.streams.audio[0]
        rate = stream.rate or stream.codec_context.sample_rate
        self.kind = Kind(int(rate), stream.codec_context.channels or 1)
        self.length: int | None = None
        if container.duration:  # In microseconds, not exact to the sample.
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
                    full = held // size * size
                    yield from np.split(joined[:full], full // size)
                    waiting, held = [joined[full:]], held - full
        except av.error.FFmpegError as error:
            raise MusicaeError(f"{self.name} is damaged: {error.strerror or error}") from None
        if held:
            yield np.concatenate(waiting)


def _time(frames: int, kind: Kind) -> str:
    return f"{frames / kind.rate:.3f} s"


def is_sound(head: bytes) -> bool:
    """Tell whether a file that begins with `head` (12 bytes or more) is a sound file of a known format."""
    forms = (b"WAVE", b"AIFF", b"AIFC")
    if head[:4] in (b"RIFF", b"RF64", b"FORM") and head[8:12] in forms:
        return True
    if head[:4] in (b"fLaC", b"OggS", b".snd", b"caff", b"riff"):
        return True
    return head[:3] == b"ID3" or is_frame(head) or _is_av(head)


def _is_av(head: bytes) -> bool:
    """Tell whether a file begins like MP4, Windows Media, WebM or AAC, which libsndfile cannot read."""
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    mp4 = head[4:8] == b"ftyp" and head[8:11] not in (b"hei", b"mif", b"msf", b"avi")  # Those are pictures.
    return mp4 or adts or head.startswith((_ASF, b"\x1a\x45\xdf\xa3"))


@contextmanager
def reading(file: File) -> Iterator[Reader]:
    """Open a sound file, a path or a stream, to read it. Raise MusicaeError, one line, for anything else."""
    import soundfile

    check_input(file, "a sound file")
    if suffix_of(file) in AV_SUFFIXES or (not isinstance(file, Path) and _is_av(_head(file))):
        with _reading_av(file) as reader:
            yield reader
        return

    class Sequential(soundfile.SoundFile):  # type: ignore[misc]
        """Read without seeking: soundfile seeks after each block, which some files cannot do, or not exactly."""

        def seekable(self) -> bool:
            return False

    try:
        opened = Sequential(_for_soundfile(file))
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise MusicaeError(f"{name_of(file)} is not a sound file that can be read: {_why(error)}") from None
    with opened:
        if opened.format == "MP3" and samples_in(file) > _LENGTH_TOLERANCE * opened.frames + opened.samplerate:
            # Its header has no length, or a wrong one, and libsndfile stops there.
            with _reading_av(file, "is longer than its header says, and") as reader:
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


@contextmanager
def _reading_av(file: File, why: str = "") -> Iterator[Reader]:
    name = name_of(file)
    if importlib.util.find_spec("av") is None:
        subject = f"{name} {why}".strip()
        raise MusicaeError(f"{subject} needs PyAV to be read; pip install 'musicae[av]', or convert it to WAV")
    import av

    options: dict[str, Any] = {"format": "g722"} if suffix_of(file) == ".g722" else {}
    try:
        # Without "file:" a colon in a name would be taken for a protocol.
        container = av.open(f"file:{file}" if isinstance(file, Path) else file, **options)
    except (av.error.FFmpegError, OSError) as error:
        raise MusicaeError(f"{name} is not a sound file that can be read: {error}") from None
    with container:
        if not container.streams.audio:
            raise MusicaeError(f"{name} has no sound in it")
        yield _Av(name, container)


def _why(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip(". ")


def kind_of(facts: dict[str, Any]) -> Kind:
    """Return the kind whose `dataclasses.asdict` is `facts`. Raise MusicaeError for anything else."""
    try:
        kind = Kind(**facts)
        valid = all(isinstance(value, int) and value > 0 for value in (kind.rate, kind.channels))
        if valid and all(isinstance(value, str) for value in (kind.format, kind.subtype)):
            return kind
    except TypeError:
        pass
    raise MusicaeError(f"{facts} is not a kind of sound file: it needs rate and channels, format and subtype")


def kind_like(kind: Kind, file: File, frames: int | None = None) -> Kind:
    """Return the kind to write `file` in, for sound from a file of `kind`: the same if possible.

    A path's suffix decides the format, a stream keeps that of `kind`. WAV becomes RF64, its extension to 64 bits, if it
    cannot hold that many `frames`. Raise MusicaeError for a suffix that cannot be written.
    """
    import soundfile

    suffix = suffix_of(file)
    if isinstance(file, Path) and suffix not in SUFFIXES:
        raise MusicaeError(f"{file}: sound is written as {', '.join(SUFFIXES[:6])}; choose one of these endings")
    name = _FORMATS.get(suffix, suffix.removeprefix(".").upper())
    if not suffix:
        name = kind.format if kind.format in _WRITTEN else "WAV"
    if name == "WAV" and kind.format in ("WAV", "WAVEX", "RF64"):
        name = kind.format
    subtype = kind.subtype
    if suffix == ".opus":
        subtype = "OPUS"
    elif "ADPCM" in subtype:  # Its blocks would make the result longer.
        subtype = "PCM_16"
    elif name == "FLAC" and (kind.exact or subtype == "PCM_32"):
        subtype = "PCM_24"
    elif name != kind.format and not (subtype.startswith(("PCM", "FLOAT")) and soundfile.check_format(name, subtype)):
        subtype = soundfile.default_subtype(name)
    if not soundfile.check_format(name, subtype):
        subtype = soundfile.default_subtype(name)
    size = 8 if subtype == "DOUBLE" else _BITS.get(subtype, 32) // 8
    if name in ("WAV", "WAVEX") and (frames or 0) * kind.channels * size > _MAX_WAV_BYTES:
        name = "RF64"
    return Kind(kind.rate, kind.channels, name, subtype)


class _Sink:
    """The raw file below a sound file being written: it keeps the first error, which soundfile loses on closing."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name, self.error = file, name, ""

    def check(self) -> None:
        """Raise OutputError if something went wrong."""
        if self.error:
            raise OutputError(f"{self.name} cannot be written: {self.error}")

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        try:
            while len(rest):  # A nearly full disk takes only part of the data.
                rest = rest[self.file.write(rest) :]
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


class Writer:
    """A sound file being written, which counts the samples that are clipped."""

    def __init__(self, file: Any, kind: Kind, sink: _Sink) -> None:
        self.file, self.kind, self.clipped, self.peak, self.length = file, kind, 0, 0.0, 0
        self._sink = sink

    def write(self, block: Block) -> None:
        """Write ``(frames, channels)``; what an integer format cannot hold is clipped at -1 and 1, and counted."""
        for at in range(0, len(block), _BLOCK):  # Some encoders crash on more at once.
            self._write(block[at : at + _BLOCK])

    def _write(self, block: Block) -> None:
        size = np.abs(block)
        self.peak = max(self.peak, float(size.max()))
        if not self.kind.exact:
            self.clipped += int((size > 1.0).any(1).sum())
            block = np.clip(block, -1.0, 1.0)
        if bits := _BITS.get(self.kind.subtype):  # soundfile truncates; this rounds.
            top = 2.0 ** (bits - 1)
            block = (np.rint(block.astype(np.float64) * top) / top).clip(-1.0, 1.0 - 1.0 / top)
        with defer_signals():
            self.file.write(block)
        self._sink.check()
        self.length += len(block)

    def remark(self) -> str | None:
        """Return a line that says how many samples were clipped; None if none were."""
        return clipping_remark(self.clipped, self.peak, self.kind)


def clipping_remark(clipped: int, peak: float, kind: Kind) -> str | None:
    """Return a line that says how many samples were `clipped` at full scale, and by how much; None if none were."""
    if not clipped:
        return None
    over = 20 * math.log10(peak)
    return f"{clipped} samples were up to {over:.1f} dB too loud for {kind.subtype} and were clipped"


@contextmanager
def writing(file: File, kind: Kind) -> Iterator[Writer]:
    """Open a sound file, a path or a stream, to write it; it appears when the block ends, complete or not at all.

    Raise OutputError if it cannot be written, MusicaeError if the format does not allow the rate or the channels.
    """
    import soundfile

    name = name_of(file)
    with output(file, buffering=0) as raw:
        sink = _Sink(raw, name)
        try:
            with defer_signals():
                opened = soundfile.SoundFile(
                    sink, "w", kind.rate, kind.channels, subtype=kind.subtype, format=kind.format
                )
        except (soundfile.LibsndfileError, ValueError) as error:
            raise MusicaeError(
                f"{name} cannot be written as {kind.format} {kind.subtype} with {kind.channels} channels at "
                f"{kind.rate} Hz ({_why(error)}); name a .wav file with -o"
            ) from None
        try:
            try:
                yield Writer(opened, kind, sink)
            finally:
                with defer_signals():
                    opened.close()
        except soundfile.LibsndfileError as error:
            raise OutputError(f"{name} cannot be written: {sink.error or _why(error)}") from None
        sink.check()
