"""Sound in formats that libsndfile does not know, read by PyAV, if it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import name_of, suffix_of
from musicae.formats.sound_kind import BLOCK, Block, Kind, Reader

__all__ = ["AV_SUFFIXES", "is_av", "reading_av"]

AV_SUFFIXES = (".g722", ".m4a", ".aac", ".mp4", ".wma", ".webm")
"""File endings that are read if PyAV is installed."""

_ASF = bytes.fromhex("3026b2758e66cf11")  # Windows Media.


def is_av(head: bytes) -> bool:
    """Tell whether a file begins like MP4, Windows Media, WebM or AAC, which libsndfile cannot read."""
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    mp4 = head[4:8] == b"ftyp" and head[8:11] not in (b"hei", b"mif", b"msf", b"avi")  # Those are pictures.
    return mp4 or adts or head.startswith((_ASF, b"\x1a\x45\xdf\xa3"))


@contextmanager
def reading_av(file: File, why: str = "") -> Iterator[Reader]:
    """Open a file of sound, a path or a stream, by PyAV. Raise MusicaeError if that is missing or cannot read it.

    `why` continues the file's name in the message that asks for PyAV.
    """
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

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
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
