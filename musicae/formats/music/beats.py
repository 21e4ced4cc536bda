"""Where the beats of a file really are, if its notes are off its bar lines (recordings, aligned audio)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["offset"]

_MIN_OFFSET = 0.15
"""In steps: a smaller common offset needs no correction, since rounding removes it."""

_MIN_RESULTANT = 0.6
"""Length of the onsets' circular mean from which they agree on their position within a step."""

_MIN_ONSETS = 8
"""With fewer onsets their position within a step is not judged."""

_MIN_ONSETS_FOR_BEATS = 64
"""With fewer onsets in all tracks the beats are not judged."""


def offset(
    starts: NDArray[np.int64],
    step: float,
    others: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    beat: int,
    bar: int,
) -> tuple[float, str]:
    """Return how many ticks the notes are late against the file's bar lines, and a remark (empty for no offset).

    Parameters
    ----------
    starts : onsets of the line that is read, in ticks.
    step : ticks in a step.
    others : onsets and ends of every track with pitches, in ticks. With fewer than two tracks, or few notes, only the
        position within a step is corrected: a melody alone does not show its beats.
    beat, bar : steps in a beat and in a bar.

    Notes
    -----
    Within a step the offset is the circular mean of the onsets, if they agree (its length is over 0.6) and are at least
    8. Within a bar, beats are where long notes begin. The file's own beats are kept unless they are off the notes by
    part of a step, or twice as much begins at another step of the beat.
    """
    mean = np.exp(2j * np.pi * (starts / step)).mean()
    phase = float(np.angle(mean)) / (2 * math.pi)
    off = abs(mean) > _MIN_RESULTANT and abs(phase) > _MIN_OFFSET and len(starts) >= _MIN_ONSETS
    shift = phase if off else 0.0
    moved = 0
    onsets = sum(len(start) for start, _ in others)
    if len(others) > 1 and onsets >= _MIN_ONSETS_FOR_BEATS and bar >= beat > 1 and abs(mean) > _MIN_RESULTANT:
        weights = _weights(others, step, shift, bar)
        in_beat = weights.reshape(-1, beat).sum(axis=0) if bar % beat == 0 else np.zeros(beat)
        best = int(in_beat.argmax())
        if off or in_beat[best] > 2 * in_beat[0]:
            steps = np.arange(best, bar, beat)
            moved = int(steps[weights[steps].argmax()])
    if not off and not moved:
        return 0.0, ""
    total = shift + moved
    return total * step, f"the notes are off the file's bar lines, which were moved by {total:.2f} steps"


def _weights(
    tracks: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]], step: float, shift: float, bar: int
) -> NDArray[np.float64]:
    """Return how much begins at each step of the bar ``(bar,)``: onsets weighted by length (at most a bar)."""
    start = np.concatenate([start for start, _ in tracks])
    end = np.concatenate([end for _, end in tracks])
    at = np.floor(start / step - shift + 0.5).astype(np.int64) % bar
    weights: NDArray[np.float64] = np.bincount(at, np.minimum((end - start) / step, bar), bar).astype(np.float64)
    return weights
