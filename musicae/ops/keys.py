"""The key of music, and how far one piece is from the key of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from musicae.codec import Codec
from musicae.core import Roll, Sample, Source
from musicae.errors import Line, MusicaeError, line_of
from musicae.ops.inputs import name_of, read
from musicae.tensors.musical import key_name, key_of

__all__ = ["in_key_of_first", "key_of_rolls", "semitones_between"]

Key = tuple[int, bool]
"""The tonic of a key, 0 .. 11 from C up, and whether it is minor."""


def key_of_rolls(rolls: Sequence[Roll]) -> Key | None:
    """Return the key of the notes in piano rolls, drums apart; None where none is clear."""
    durations = np.zeros(12)
    for roll in rolls:
        for _, length, pitch in [] if roll.labels else roll.notes:
            durations[pitch % 12] += length
    return key_of(torch.from_numpy(durations))


def semitones_between(one: Key, other: Key) -> int:
    """Return by how many semitones, -5 .. 6, music in a key is moved into another.

    Of a major and a minor key the signatures become one: C major and A minor are 0 apart.
    """
    signatures = [(tonic + 3 * minor) % 12 for tonic, minor in (one, other)]
    return (signatures[1] - signatures[0] + 5) % 12 - 5


def in_key_of_first(
    codec: Codec, samples: Sequence[Sample], sources: Sequence[Source], options: Mapping[str, Any], *, asked: bool
) -> tuple[list[Sample], list[str]]:
    """Return the samples of sources, all but the first moved into its key, and what the user is to know.

    `options` are those that the sources were read with. Raise MusicaeError where one has no key, and for a source that
    is a sample already; where nobody `asked` for it, such ones stay as they are.
    """
    keys = [key_of_rolls(codec.adapter.rolls(one)) for one in samples]
    if asked and None in keys:
        raise MusicaeError(f"--same-key: {name_of(sources[keys.index(None)])} has no clear key; leave it out")
    moved, notices, first = [samples[0]], [], keys[0]
    for one, source, key in zip(samples[1:], sources[1:], keys[1:], strict=True):
        semitones = 0 if key is None or first is None else semitones_between(key, first)
        if semitones and isinstance(source, Sample):
            if asked:
                raise MusicaeError("the key of a sample that has been read cannot be changed; give a file")
            semitones = 0
        moved.append(read(codec, source, **_with(options, semitones)) if semitones else one)
        if semitones and key is not None and first is not None:
            way = f"{abs(semitones)} semitone{'s' * (abs(semitones) > 1)} {'up' if semitones > 0 else 'down'}"
            done = f"{name_of(source)} ({key_name(*key)}) was moved {way}, "
            done += f"to fit {name_of(sources[0])} ({key_name(*first)})"
            notices.append(done if asked else line_of(done, Line("; --own-key leaves it as it is", "")))
    return moved, notices


def _with(options: Mapping[str, Any], semitones: int) -> dict[str, Any]:
    return {**options, "transpose": (options.get("transpose") or 0) + semitones}
