"""Sound in formats that libsndfile does not know, and the sound of videos, read by PyAV, if it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import name_of
from musicae.formats.sound.kind import BLOCK, Block, Kind, Reader, check_block, check_kind, fold_channels, in_blocks

__all__ = ["has_av", "reading_av"]

_MAX_FRAME = 2**21  # Samples that a decoder may give at once; a damaged header asks for gigabytes.
_MAX_DAMAGED = 0.5  # The share of the packets that may be damaged.


def has_av() -> bool:
    """Tell whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


@contextmanager
def reading_av(file: File, form: str, why: str = "") -> Iterator[Reader]:
    """Open a file of sound, a path or a stream, by PyAV. Raise MusicaeError if that is missing or cannot read it.

    `form` is its format, as FFmpeg calls it: it is never left to FFmpeg to guess, since some of what it knows are lists
    of other files and addresses. `why` continues the file's name in the message that asks for PyAV.
    """
    name = name_of(file)
    if not has_av():
        subject = f"{name} {why}".strip()
        raise MusicaeError(f"{subject} needs PyAV to be read; pip install 'musicae[av]', or convert it to WAV")
    import av

    if isinstance(file, Path):
        place: Any = f"file:{file}"  # Else a colon in a name would be taken for a protocol.
    else:
        place = file
        place.seek(0)
    options = {"protocol_whitelist": "file", "max_samples": str(_MAX_FRAME)}
    try:
        container = av.open(place, format=form, options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise MusicaeError(f"{name} is not a sound file that can be read: {_why(error)}") from None
    with container:
        yield _Av(name, container)


def _why(error: Exception) -> str:
    """Return why FFmpeg refuses, without the name of the file."""
    import av

    if isinstance(error, av.error.FFmpegError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0]


class _Av:
    """What PyAV decodes, with the rate and the channels of the first frame: later ones are converted to them."""

    def __init__(self, name: str, container: Any) -> None:
        self.name, self.container = name, container
        self.remarks: list[str] = []
        self._packets = self._damaged = 0
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            raise MusicaeError(f"{name} has no sound in it")
        context = stream.codec_context
        if context is None:
            raise MusicaeError(f"{name} has sound of a kind that cannot be decoded; convert it to WAV")
        if context.sample_rate:  # It is 0 where a header does not say.
            check_kind(Kind(context.sample_rate, max(1, context.channels)), name)
        context.options = {"max_samples": str(_MAX_FRAME)}
        self._frames = self._decode(stream)
        self._first = next(self._frames, None)
        if self._first is None:
            raise MusicaeError(f"{name} is damaged: there is no sound in it that can be decoded")
        subtype = "PCM_24" if self._first.format.name.startswith("s32") else "PCM_16"
        self.kind = Kind(int(self._first.sample_rate), self._first.layout.nb_channels, "WAV", subtype)
        check_kind(self.kind, name)
        self.length: int | None = None  # Else not exact to the sample.
        lasts = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / 1e6
        if lasts > 0:
            self.length = round(lasts * self.kind.rate)

    def _decode(self, stream: Any) -> Iterator[Any]:
        """Go through the frames; packets that are damaged are left out."""
        import av

        packets = self.container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:  # The rest cannot even be cut into packets.
                self._damaged += 1
                return
            if packet is None:
                return
            self._packets += 1
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError):
                self._damaged += 1
                continue
            yield from (frame for frame in frames if frame.samples)

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Go through the sound in blocks ``(frames, channels)``; see `Reader`."""
        return in_blocks(self._checked(), size)

    def _checked(self) -> Iterator[Block]:
        seen = 0
        for part in self._parts():
            check_block(part, seen, self.name, self.kind.rate)
            seen += len(part)
            yield part
        lost = f"{self._damaged} of {self._packets} packets cannot be decoded"
        if not seen or self._damaged > _MAX_DAMAGED * self._packets:
            raise MusicaeError(f"{self.name} is damaged: {lost}")
        if self._damaged:
            self.remarks.append(f"{self.name} is damaged: {lost} and were left out")

    def _parts(self) -> Iterator[Block]:
        """Go through the frames as blocks of the kind's rate and channels."""
        import av

        before, resampler = None, None
        frame = self._first
        while frame is not None:
            now = frame.format.name, frame.layout.name, frame.sample_rate
            if now != before:  # At the first frame, and wherever the sound changes on the way.
                yield from self._resampled(resampler, None)
                # Packed: of planar sound with more than 8 channels PyAV takes more planes than there are, and crashes.
                before, resampler = now, av.AudioResampler(format="flt", rate=self.kind.rate)
            yield from self._resampled(resampler, frame)
            frame = next(self._frames, None)
        yield from self._resampled(resampler, None)

    def _resampled(self, resampler: Any, frame: Any) -> Iterator[Block]:
        """Go through what a resampler makes of a frame, or of what it holds back at the end."""
        if resampler is None:
            return
        import av

        try:
            parts = resampler.resample(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise MusicaeError(f"{self.name} is damaged: {_why(error)}") from None
        for part in parts:
            block = part.to_ndarray().reshape(-1, part.layout.nb_channels)
            yield fold_channels(block.astype(np.float32), self.kind.channels)
