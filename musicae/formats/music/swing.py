"""Swing, the long first eighth of a beat: it is detected in onsets, taken out, and put in again.

The ratio of the two eighths is 1 for straight ones and 2 for triplets. A ratio may change along a piece: a map is
``[[step, ratio], ...]``, the first at step 0. Between the beat, the off-beat eighth and the next beat, time runs
evenly, so that the three notes of a triplet fall on the first three sixteenths of a beat where the ratio is 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_SWING", "MIN_SWING", "STEPS_PER_BEAT", "is_straight", "ratio_of", "straightened", "swung"]

STEPS_PER_BEAT = (2, 4)
"""The grids on which a file is read as swung: those with a step for the off-beat eighth, and none for triplets."""

MIN_SWING, MAX_SWING = 0.4, 2.5
"""The ratios that a map may have: no swung step comes as late as the next straight one."""

_RANGE = (0.58, 0.71)  # Where in a beat a swung eighth lies; at .75 it is a sixteenth.
_NEAR = 0.04  # How far from its place in the beat an onset may be.
_MIN_ONSETS = 16
_MIN_SHARE = 0.5  # Of the onsets that are off the beat, triplets apart: the swung eighths.
_ROUND = 20  # Ratios are multiples of 1/20.

Floats = NDArray[np.floating[Any]]


def ratio_of(beats: Floats) -> float:
    """Return the ratio of the first eighth of a beat to the second in onsets ``(N,)``, in quarters; 1: straight.

    It is that of the median off-beat eighth, if at least 16 onsets lie where a swung eighth does, .58 to .71 of the
    beat, and they are half or more of those there, on the straight eighth and on the sixteenths.
    """
    place = beats % 1.0
    late = place[(place > _RANGE[0]) & (place < _RANGE[1])]
    straight = sum(int(np.count_nonzero(np.abs(place - at) < _NEAR)) for at in (0.25, 0.5, 0.75))
    if len(late) < _MIN_ONSETS or len(late) < _MIN_SHARE * (len(late) + straight):
        return 1.0
    middle = float(np.median(late))
    return round(_ROUND * middle / (1 - middle)) / _ROUND


def is_straight(swing: Sequence[Sequence[float]]) -> bool:
    """Tell whether nothing in a map is swung."""
    return all(ratio == 1.0 for _, ratio in swing)


def straightened(places: Floats, swing: Sequence[Sequence[float]], steps_per_beat: int) -> Floats:
    """Return where on a straight grid the `places` ``(N,)`` of a swung one are, both in steps."""
    begin, ratio = _at(places, swing)
    beat, part = np.divmod((places - begin) / steps_per_beat, 1.0)
    middle = ratio / (1 + ratio)
    even = np.where(part < middle, part / middle / 2, 0.5 + (part - middle) / (1 - middle) / 2)
    straight: Floats = begin + (beat + even) * steps_per_beat
    return straight


def swung(steps: NDArray[Any], swing: Sequence[Sequence[float]], steps_per_beat: int) -> Floats:
    """Return where steps ``(N,)`` of a straight grid, or places between, are played; the inverse of `straightened`."""
    begin, ratio = _at(steps, swing)
    beat, part = np.divmod((steps - begin) / steps_per_beat, 1.0)
    middle = ratio / (1 + ratio)
    late = np.where(part < 0.5, 2 * part * middle, middle + (2 * part - 1) * (1 - middle))
    played: Floats = begin + (beat + late) * steps_per_beat
    return played


def _at(places: NDArray[Any], swing: Sequence[Sequence[float]]) -> tuple[Floats, Floats]:
    """Return for each place where its entry of a map begins, and the ratio there."""
    table = np.asarray(swing, np.float64)
    entry = np.maximum(np.searchsorted(table[:, 0], places, side="right") - 1, 0)
    return table[entry, 0], table[entry, 1]
