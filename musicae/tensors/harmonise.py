"""Chords for a melody on its own: of all progressions of triads the one that suits its notes, its key and usage best.

A hidden Markov model as for recognising chords (see `musicae.tensors.chords`), but the notes of a single line leave
most open: which chords a key has, how often it uses them, and how one follows another decide with them (Simon, Morris
and Basu 2008, "MySong: automatic accompaniment generation for vocal melodies"). The key is that of the best
progression.

The constants are textbook usage, adjusted on songs of POP909 (Wang et al. 2020). ``N`` counts half bars, ``L`` steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["harmonise"]

_MAJOR, _MINOR = (0, 4, 7), (0, 3, 7)
_TRIADS = [(root, minor) for minor in (False, True) for root in range(12)]
_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10, 11)}  # Minor with both sevenths.

_USE = {
    False: {(0, False): 0.0, (7, False): 0.4, (5, False): 0.6, (9, True): 0.9, (2, True): 1.2, (4, True): 2.0},
    True: {(0, True): 0.0, (7, False): 0.6, (5, True): 0.8, (8, False): 0.9, (3, False): 1.0, (10, False): 1.0,
           (7, True): 2.0},
}  # fmt: skip
"""What triads cost in a key, major or minor, in nats; the root is counted from the tonic."""

_FOREIGN = 4.0  # What any other triad costs.
_ROOT, _TONE, _SCALE, _OTHER = 0.26, 0.2, 0.07, 0.008  # The probability of a note that is that in chord and key.
_NOTES = 1.2  # How many independent notes a beat is worth.
_STRONG = 1.5  # How much more a note counts that begins on a beat.
_BAR, _HALF = -0.5, 0.8  # What a change of chord costs at a bar line, where it gains, and in mid-bar, in nats.
_CADENCE = 1.0  # What it costs to end (or, half of it, to begin) on another chord than the tonic's.
_FIFTH = 0.4  # What a root that falls by a fifth gains.


def harmonise(
    start: NDArray[np.int64], end: NDArray[np.int64], pitch: NDArray[np.int64], length: int, beat: int, bar: int
) -> NDArray[np.float32]:
    """Return chords ``(24, L)`` for a melody: the root (12, one-hot) and the pitch classes (12).

    Notes last from step `start` to before step `end`, and `pitch` is MIDI's. A beat has `beat` steps, a bar `bar`.
    Zeros where there is no note.
    """
    found = np.zeros((24, length), np.float32)
    if not len(start):
        return found
    unit = bar // 2 if bar % (2 * beat) == 0 else bar
    count = -(-length // unit)
    weight = np.zeros((count, 12))
    for first, last, tone in zip(start.tolist(), end.tolist(), (pitch % 12).tolist(), strict=True):
        strong = _STRONG if first % beat == 0 else 1.0
        for at in range(first // unit, min(count, -(-last // unit))):
            inside = min(last, (at + 1) * unit) - max(first, at * unit)
            weight[at, tone] += strong * inside / beat
    lines = [_best(weight, key, minor, unit < bar) for minor in (False, True) for key in range(12)]
    _, path = max(lines, key=lambda line: line[0])
    for at, state in enumerate(path):
        root, minor = _TRIADS[state]
        here = slice(at * unit, (at + 1) * unit)
        found[root, here] = 1.0
        found[[12 + (root + tone) % 12 for tone in (_MINOR if minor else _MAJOR)], here] = 1.0
    return found


def _best(weight: NDArray[np.float64], key: int, minor: bool, halves: bool) -> tuple[float, list[int]]:
    """Return the best progression in a key, the numbers of its triads ``(N,)``, and how well it fits."""
    cost = np.array([_USE[minor].get(((root - key) % 12, kind), _FOREIGN) for root, kind in _TRIADS])
    fit = _NOTES * weight @ np.log(_notes_in(key, minor)).T
    home = np.array([float((root, kind) != (key, minor)) for root, kind in _TRIADS])
    fit[0] -= 0.5 * _CADENCE * home
    fit[-1] -= _CADENCE * home
    roots = np.array([root for root, _ in _TRIADS])
    gain = np.where((roots[:, None] - roots[None, :]) % 12 == 7, _FIFTH, 0.0) - cost[None, :]
    best, back = fit[0] - cost, []
    for at in range(1, len(fit)):
        change = best[:, None] + gain - (_HALF if halves and at % 2 else _BAR)
        np.fill_diagonal(change, best)
        back.append(change.argmax(0))
        best = change.max(0) + fit[at]
    path = [int(best.argmax())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return float(best.max()), path[::-1]


def _notes_in(key: int, minor: bool) -> NDArray[np.float64]:
    """Return the probability of each pitch class under each triad in a key, ``(24, 12)``."""
    rows = np.full((24, 12), _OTHER)
    rows[:, [(key + tone) % 12 for tone in _SCALES[minor]]] = _SCALE
    for row, (root, kind) in zip(rows, _TRIADS, strict=True):
        row[[(root + tone) % 12 for tone in (_MINOR if kind else _MAJOR)]] = _TONE
        row[root] = _ROOT
    return np.asarray(rows / rows.sum(1, keepdims=True))
