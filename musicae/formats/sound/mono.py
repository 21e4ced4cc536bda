"""Sound files as one channel, at any rate, block by block."""

from __future__ import annotations

from collections.abc import Iterator

from musicae.core import File
from musicae.formats.sound.kind import Block
from musicae.formats.sound.reading import reading
from musicae.tensors.mixdown import Mixdown

__all__ = ["mono_blocks"]


def mono_blocks(file: File, rate: int) -> Iterator[Block]:
    """Go through a file as ``(T,)`` samples of one channel at a `rate` in Hz. Raise MusicaeError as `reading` does."""
    import soxr

    with reading(file) as opened:
        resampler = soxr.ResampleStream(opened.kind.rate, rate, 1, dtype="float32")
        mix = Mixdown(opened.kind.rate, opened.kind.channels)
        for block in opened.blocks():
            yield resampler.resample_chunk(mix.process(block))
        yield resampler.resample_chunk(mix.flush(), last=True)
