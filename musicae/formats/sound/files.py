"""Sound files, block by block: read and written by soundfile, and more formats read by PyAV, if it is installed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from musicae.core import File
from musicae.errors import Line, MusicaeError, OutputError, line_of
from musicae.formats.files import name_of, output, suffix_of
from musicae.formats.quiet import quiet
from musicae.formats.signals import defer_signals
from musicae.formats.sound.bit_rates import encoder_options
from musicae.formats.sound.heads import is_sound
from musicae.formats.sound.kind import BLOCK, MAX_AMPLITUDE, Block, Kind, Reader, kind_of, reason
from musicae.formats.sound.reading import reading
from musicae.formats.sound.tags.files import read_tags, write_tags
from musicae.formats.sound.tags.values import Tags

__all__ = [
    "AV_SUFFIXES",
    "MAX_AMPLITUDE",
    "SUFFIXES",
    "Block",
    "Kind",
    "Reader",
    "Tags",
    "Writer",
    "clipping_remark",
    "is_sound",
    "kind_like",
    "kind_of",
    "read_tags",
    "reading",
    "writing",
]

SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64"),
    *(".wave", ".bwf", ".oga", ".snd", ".mpga"),
)
"""File endings that are read and written."""

AV_SUFFIXES = (
    *(".g722", ".m4a", ".m4b", ".aac", ".mp4", ".wma", ".webm", ".mp2", ".mka", ".mkv", ".mov", ".m4v", ".3gp", ".3g2"),
    *(".amr", ".ac3", ".eac3", ".dts", ".ape", ".wv", ".tta", ".mpc", ".tak", ".dsf", ".avi", ".flv", ".wmv", ".asf"),
    *(".mpg", ".mpeg"),
)
"""File endings that are only read, videos' too, most of them if PyAV is installed."""

_MAX_WAV_BYTES = 4_000_000_000
_AS_WAV = Line("name a .wav file with -o", "convert it to WAV first")
_MAX_VORBIS_RATE = 200_000  # Above, libvorbis has no settings, and libsndfile crashes.
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_FORMATS = {
    **{".aif": "AIFF", ".aifc": "AIFF", ".wave": "WAV", ".bwf": "WAV", ".snd": "AU"},
    **{".opus": "OGG", ".oga": "OGG", ".mpga": "MP3"},
}
_UNKNOWN_BITRATE: dict[str, Any] = {"bitrate": 0, "bitrate_mode": ""}
_WRITTEN = ("WAV", "WAVEX", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64")  # The formats of SUFFIXES.


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
    return replace(kind, format=name, subtype=subtype, **({} if subtype == kind.subtype else _UNKNOWN_BITRATE))


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

    def truncate(self, size: int) -> int:
        return self.file.truncate(size)

    def flush(self) -> None:
        try:
            self.file.flush()
        except OSError as error:
            self.error = self.error or error.strerror or str(error)


class Writer:
    """A sound file being written, which counts the samples that are clipped.

    Once it is written `remarks` say which tags could not be kept.
    """

    def __init__(self, file: Any, kind: Kind, sink: _Sink) -> None:
        self.file, self.kind, self.clipped, self.peak, self.length = file, kind, 0, 0.0, 0
        self.remarks: list[str] = []
        self._sink = sink

    def write(self, block: Block) -> None:
        """Write ``(frames, channels)``; what an integer format cannot hold is clipped at -1 and 1, and counted."""
        for at in range(0, len(block), BLOCK):  # Some encoders crash on more at once.
            self._write(block[at : at + BLOCK])

    def _write(self, block: Block) -> None:
        size = np.abs(block)
        self.peak = max(self.peak, float(size.max()))
        if not self.kind.exact:
            self.clipped += int((size > 1.0).any(1).sum())
            block = np.clip(block, -1.0, 1.0)
        if bits := _BITS.get(self.kind.subtype):  # soundfile truncates; this rounds.
            top = 2.0 ** (bits - 1)
            block = (np.rint(block.astype(np.float64) * top) / top).clip(-1.0, 1.0 - 1.0 / top)
        with _undisturbed(self.kind):
            self.file.write(block)
        self._sink.check()
        self.length += len(block)

    def remark(self) -> str | None:
        """Return a line that says how many samples were clipped; None if none were."""
        return clipping_remark(self.clipped, self.peak, self.kind)


@contextmanager
def _undisturbed(kind: Kind) -> Iterator[None]:
    """Delay signals while libsndfile writes; ALAC's encoder prints where it can make a block no smaller."""
    with defer_signals(), quiet() if kind.subtype.startswith("ALAC") else nullcontext():
        yield


def clipping_remark(clipped: int, peak: float, kind: Kind) -> str | None:
    """Return a line that says how many samples were `clipped` at full scale, and by how much; None if none were."""
    if not clipped:
        return None
    over = 20 * math.log10(peak)
    return f"{clipped} samples were up to {over:.1f} dB too loud for {kind.subtype} and were clipped"


@contextmanager
def writing(file: File, kind: Kind, tags: Tags | None = None) -> Iterator[Writer]:
    """Open a sound file, a path or a stream, to write it; it appears when the block ends, complete or not at all.

    It gets the `tags` of another file, as far as its format can hold them; `Writer.remarks` say what is left out.

    Raise OutputError if it cannot be written, MusicaeError if the format does not allow the rate or the channels.
    """
    import soundfile

    name = name_of(file)
    if kind.subtype == "VORBIS" and kind.rate > _MAX_VORBIS_RATE:
        what = f"{name} cannot be written as OGG VORBIS at {kind.rate} Hz, only up to {_MAX_VORBIS_RATE} Hz; "
        raise MusicaeError(line_of(what, _AS_WAV))
    with output(file, buffering=0) as raw:
        sink = _Sink(raw, name)
        try:
            with defer_signals():
                opened = soundfile.SoundFile(
                    sink,
                    "w",
                    kind.rate,
                    kind.channels,
                    subtype=kind.subtype,
                    format=kind.format,
                    **encoder_options(kind),
                )
        except (soundfile.LibsndfileError, ValueError) as error:
            form = f"{kind.format} {kind.subtype} with {kind.channels} channels at {kind.rate} Hz"
            what = f"{name} cannot be written as {form} ({reason(error)}); "
            raise MusicaeError(line_of(what, _AS_WAV)) from None
        try:
            try:
                writer = Writer(opened, kind, sink)
                yield writer
            finally:
                with _undisturbed(kind):
                    opened.close()
        except soundfile.LibsndfileError as error:
            raise OutputError(f"{name} cannot be written: {sink.error or reason(error)}") from None
        sink.check()
        if tags:
            writer.remarks += write_tags(sink, tags, kind.format, kind.rate)
            sink.check()
