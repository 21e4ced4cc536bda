"""What a sound file holds: its rate, channels and format, and its samples in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musicae.errors import MusicaeError

__all__ = [
    "BLOCK",
    "MAX_AMPLITUDE",
    "MAX_CHANNELS",
    "MAX_RATE",
    "MIN_RATE",
    "Block",
    "Kind",
    "Reader",
    "check_block",
    "check_kind",
    "fold_channels",
    "in_blocks",
    "kind_of",
    "reason",
    "seconds",
]

Block = NDArray[np.float32]
"""Samples ``(frames, channels)``, full scale at -1 and 1."""

BLOCK = 65_536
"""Frames that are read or written at a time."""

MAX_AMPLITUDE = 1e6
"""A larger sample is not sound but damage: bytes that were not a floating-point number."""

MIN_RATE, MAX_RATE = 1000, 768_000
"""The rates of sound in Hz; others are damage, or would take any amount of memory at the rate of a preset."""

MAX_CHANNELS = 64
"""The most channels of a file."""


@dataclass(frozen=True)
class Kind:
    """What a sound file holds: `rate` in Hz, `channels`, and its `format` and `subtype` as soundfile names them.

    Of a lossy file `bitrate` is that of the sound in bits a second, 0 if it is not known, and `bitrate_mode` is
    ``"CONSTANT"``, ``"AVERAGE"`` or ``"VARIABLE"`` for MP3.
    """

    rate: int
    channels: int
    format: str = "WAV"
    subtype: str = "PCM_16"
    bitrate: int = 0
    bitrate_mode: str = ""

    @property
    def exact(self) -> bool:
        """Whether it keeps samples beyond full scale, as floating-point formats do."""
        return self.subtype in ("FLOAT", "DOUBLE")


class Reader(Protocol):
    """An open sound file. `length` is in frames, None if unknown before the end; `remarks` are for the user."""

    kind: Kind
    length: int | None
    remarks: list[str]

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Go through the file in float32 blocks ``(frames, channels)``, all but the last of `size` frames."""


def kind_of(facts: dict[str, Any]) -> Kind:
    """Return the kind whose `dataclasses.asdict` is `facts`. Raise MusicaeError for anything else."""
    try:
        kind = Kind(**facts)
        valid = all(isinstance(value, int) and value > 0 for value in (kind.rate, kind.channels))
        valid = valid and isinstance(kind.bitrate, int) and 0 <= kind.bitrate < 10**9
        if valid and all(isinstance(value, str) for value in (kind.format, kind.subtype, kind.bitrate_mode)):
            return kind
    except TypeError:
        pass
    raise MusicaeError(f"{facts} is not a kind of sound file: it needs rate and channels, format and subtype")


def reason(error: Exception) -> str:
    """Return why libsndfile refuses, without the name of the file."""
    return str(getattr(error, "error_string", error)).strip(". ")


def check_kind(kind: Kind, name: str) -> None:
    """Raise MusicaeError unless the rate and the channels of a file called `name` are those of sound."""
    if not MIN_RATE <= kind.rate <= MAX_RATE:
        raise MusicaeError(f"{name} has {kind.rate} samples a second; sound has {MIN_RATE} to {MAX_RATE} Hz")
    if not 1 <= kind.channels <= MAX_CHANNELS:
        raise MusicaeError(f"{name} has {kind.channels} channels; 1 to {MAX_CHANNELS} can be read")


def check_block(block: Block, seen: int, name: str, rate: int) -> None:
    """Raise MusicaeError if a sample of the block that follows `seen` frames is no sound."""
    if not (good := np.abs(block) <= MAX_AMPLITUDE).all():  # False for NaN, too.
        at = seen + int(np.flatnonzero(~good.all(1))[0])
        raise MusicaeError(f"{name} has a sample that is not a number at {seconds(at, rate)}")


def seconds(frames: int, rate: int) -> str:
    """Return how long that is, for people."""
    return f"{frames / rate:.3f} s"


def fold_channels(block: Block, channels: int) -> Block:
    """Return ``(frames, C)`` as ``(frames, channels)``: too few are repeated, too many averaged in turn."""
    given = block.shape[1]
    if given == channels:
        return block
    if given < channels:
        return block[:, np.arange(channels) % given]
    return np.stack([block[:, i::channels].mean(1) for i in range(channels)], axis=1)


def in_blocks(parts: Iterable[Block], size: int) -> Iterator[Block]:
    """Go through sound that comes in parts of any length in blocks of `size` frames; the last may be shorter."""
    waiting: list[Block] = []
    held = 0
    for part in parts:
        waiting.append(part)
        held += len(part)
        if held >= size:
            joined = np.concatenate(waiting)
            full = held // size * size
            yield from np.split(joined[:full], full // size)
            waiting, held = [joined[full:]], held - full
    if held:
        yield np.concatenate(waiting)
