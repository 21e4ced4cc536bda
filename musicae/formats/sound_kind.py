"""What a sound file holds: its rate, channels and format, and its samples in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musicae.errors import MusicaeError

__all__ = ["BLOCK", "MAX_AMPLITUDE", "Block", "Kind", "Reader", "kind_of", "reason"]

Block = NDArray[np.float32]
"""Samples ``(frames, channels)``, full scale at -1 and 1."""

BLOCK = 65_536
"""Frames that are read or written at a time."""

MAX_AMPLITUDE = 1e6
"""A larger sample is not sound but damage: bytes that were not a floating-point number."""


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

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Go through the file in float32 blocks ``(frames, channels)``, all but the last of `size` frames."""


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


def reason(error: Exception) -> str:
    """Return why libsndfile refuses, without the name of the file."""
    return str(getattr(error, "error_string", error)).strip(". ")
