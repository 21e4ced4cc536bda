"""Where the beats of a file really are, when its notes do not sit on its own bar lines (recordings, aligned audio)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["offset"]

_MIN_OFFSET = 0.15
"""Shares of a step: a common offset below this needs no correction, as rounding takes it away."""

_MIN_RESULTANT = 0.6
"""The length of the onsets' circular mean from which on they agree about their place within a step."""

_MIN_ONSETS = 8
"""Onsets below which nothing is said about their place within a step."""

_MIN_ONSETS_FOR_BEATS = 64
"""Onsets in all tracks below which nothing is said about beats."""


def offset(
    starts: NDArray[np.int64],
    step: float,
    others: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    beat: int,
    bar: int,
) -> tuple[float, str]:
    """Return by how many ticks the notes lie after the file's bar lines, and a remark (empty for no offset).

    Parameters
    ----------
    starts : onsets of the line that is read, in ticks.
    step : ticks in a step.
    others : onsets and ends of every track with pitches, in ticks. With fewer than two tracks, or few notes, only the
        place within a step is corrected: a melody alone does not tell where its beats are.
    beat, bar : steps in a beat and in a bar.

    Notes
    -----
    Within a step: the circular mean of the onsets, where they agree (its length is over 0.6) and are at least 8.
    Within a bar: beats are where long notes begin. The file's own beats are kept unless they lie off the notes
    by part of a step, or twice as much begins at another place of the beat.
    """
    mean = np.exp(2j * np.pi * (starts / step)).mean()
    phase = float(np.angle(mean)) / (2 * math.pi)
    off = abs(mean) > _MIN_RESULTANT and abs(phase) > _MIN_OFFSET and len(starts) >= _MIN_ONSETS
    shift = phase if off else 0.0
    moved = 0
    known = sum(len(start) for start, _ in others)
    if len(others) > 1 and known >= _MIN_ONSETS_FOR_BEATS and bar >= beat > 1 and abs(mean) > _MIN_RESULTANT:
        weights = _weights(others, step, shift, bar)
        in_beat = weights.reshape(-1, beat).sum(axis=0) if bar % beat == 0 else np.zeros(beat)
        best = int(in_beat.argmax())
        if off or in_beat[best] > 2 * in_beat[0]:
            places = np.arange(best, bar, beat)
            moved = int(places[weights[places].argmax()])
    if not off and not moved:
        return 0.0, ""
    total = shift + moved
    return total * step, f"the notes lie off the file's bar lines; these were moved by {total:.2f} steps"


def _weights(
    tracks: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]], step: float, shift: float, bar: int
) -> NDArray[np.float64]:
    """Return how much begins at each step of the bar ``(bar,)``: onsets, each by its length (a bar at most)."""
    start = np.concatenate([start for start, _ in tracks])
    end = np.concatenate([end for _, end in tracks])
    place = np.floor(start / step - shift + 0.5).astype(np.int64) % bar
    weights: NDArray[np.float64] = np.bincount(place, np.minimum((end - start) / step, bar), bar).astype(np.float64)
    return weights
