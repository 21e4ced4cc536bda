"""Chords recognised from notes: templates of pitch classes, the bass, and the best path through a song.

How well a chord fits a beat is judged by its pitch-class profile (Fujishima 1999, "Realtime chord recognition of
musical sound"). The profile is taken for draws from the chord's own distribution over the pitch classes, so that both
tones outside the chord and tones it lacks count. The chords of a song are the states of a hidden Markov model, decoded
with the Viterbi algorithm (Sheh and Ellis 2003, "Chord segmentation and recognition using EM-trained hidden Markov
models"), in which they change more readily on strong beats (Papadopoulos and Peeters 2008, "Simultaneous estimation of
chord progression and downbeats from an audio file").

The constants were tuned on songs 001 to 400 of POP909 (Wang et al. 2020), whose chords are annotated.
``N`` counts beats, ``L`` steps; the 12 pitch classes begin with C.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["QUALITIES", "of_notes", "recognize"]

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "maj6": (0, 4, 7, 9),
    "hdim7": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
}
"""The chords that are recognised, on every root: semitones above it, by the names of Harte et al. (2005)."""

_COST = {"maj": 0.0, "min": 0.0, "dim": 1.0, "aug": 1.9, "sus2": 1.3, "sus4": 1.2, "7": 0.8, "maj7": 1.0, "min7": 0.8,
         "maj6": 1.8, "hdim7": 1.6, "dim7": 1.9}  # fmt: skip
"""How much less probable a kind of chord is than a triad, in nats."""

# How much of a chord is heard of its root, third, fifth and seventh, and of each other tone; the same for the bass.
_ROOT, _TONE, _FOURTH, _OTHER = 1.4, 1.0, 1.3, 0.05
_BASS_ROOT, _BASS_TONE, _BASS_OTHER = 1.0, 0.125, 0.05

_NOTES, _BASS = 5.3, 0.55  # How many draws the tones of a beat are worth, and its bass.
_POWER = 0.7  # Compresses how long a tone sounds, so that repeated ones do not drown the others.
_ENOUGH = 2.4  # Beats with less than this are worth less; a triad in the octave of middle C has 3.
_SILENCE = 0.9  # What no chord gains where nothing sounds, in nats.
_BAR, _HALF, _BEAT = 1.4, 2.7, 5.0  # What a change of chord costs at a bar line, in mid-bar and elsewhere, in nats.

_LOUDNESS = 0.25  # The power of a velocity.
_MIDDLE_C, _PITCHES = 60, 132  # Whole octaves, for the 128 pitches of MIDI.


def recognize(
    weights: NDArray[np.float64], bass: NDArray[np.float64], beats_per_bar: int = 4
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the roots ``(N,)`` and pitch classes ``(12, N)`` of the chords of N beats; root -1 is no chord.

    `weights` ``(12, N)`` tells how long each pitch class sounds, in beats summed over notes, the low ones counting more
    (see `of_notes`), and `bass` ``(12, N)`` for which part of a beat it is the lowest. The first beat begins a bar.
    Transposed weights give the same chords transposed, exactly.
    """
    beats = weights.shape[1]
    if not beats:
        return np.zeros(0, np.int64), np.zeros((12, 0), bool)
    # Sums differ in their last bits with their order, and ties fall to the first: so all transpositions of a song are
    # brought to the same one, the last in the order of their bytes.
    song = np.stack([weights, bass]).astype(np.float64)
    key = max(range(12), key=lambda semitones: np.roll(song, -semitones, axis=1).tobytes())
    weights, bass = np.roll(song, -key, axis=1)
    weights = weights**_POWER
    amount = weights.sum(0)
    fit = np.zeros((beats, len(_MEMBERS) + 1))  # The last state is no chord.
    fit[:, :-1] = _NOTES * _shares(weights) @ _FIT.T + _BASS * _shares(bass) @ _BASS_FIT.T - _RARITY
    fit *= np.minimum(amount / _ENOUGH, 1.0)[:, None]
    fit[:, -1] = _SILENCE * (amount == 0)

    beat = np.arange(beats) % beats_per_bar
    path = _viterbi(fit, np.select([beat == 0, 2 * beat == beats_per_bar], [_BAR, _HALF], _BEAT))
    none = path == len(_MEMBERS)
    path[none] = 0
    root = np.where(none, -1, (path // len(QUALITIES) + key) % 12)
    return root, np.roll(_MEMBERS[path].T, key, axis=0) & ~none


def of_notes(
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    pitch: NDArray[np.int64],
    velocity: NDArray[np.int64],
    length: int,
    steps_per_beat: int = 4,
    bar: int = 16,
) -> NDArray[np.float32]:
    """Return the chords ``(24, L)`` under notes: the root (12, one-hot) and the pitch classes (12); zeros for none.

    Notes last from step `start` to before step `end`, `pitch` is MIDI's 0 .. 127, `velocity` 1 .. 127: four arrays of
    one length, without drums. A bar has `bar` steps, the first begins at step 0, and `length` is ``L``.
    """
    steps = math.gcd(steps_per_beat, bar)  # A beat, or what of it fills the bars.
    beats = -(-length // steps)
    size = beats * steps + 1
    loudness = np.rint(1024 * (velocity / 127.0) ** _LOUDNESS)  # Integers: their sums are exact, and come back to 0.
    first, last = np.clip(start, 0, size - 1), np.clip(end, 0, size - 1)
    changes = np.concatenate([pitch * size + first, pitch * size + np.maximum(first, last)])
    roll = np.bincount(changes, np.concatenate([loudness, -loudness]), _PITCHES * size).astype(np.float64)
    roll = roll.reshape(_PITCHES, size)
    roll = np.cumsum(roll, axis=1, out=roll)[:, :-1]

    sounds = roll > 0
    at = np.flatnonzero(sounds.any(0))
    lowest = np.zeros((12, beats * steps))
    lowest[sounds.argmax(0)[at] % 12, at] = 1 / steps
    # An octave higher counts half: chords are low, melodies are not.
    roll *= 0.5 ** ((np.arange(_PITCHES)[:, None] - _MIDDLE_C) / 12) / (1024 * steps)
    weights = roll.reshape(-1, 12, beats, steps).sum((0, 3))
    root, tones = recognize(weights, lowest.reshape(12, beats, steps).sum(2), bar // steps)
    chord = np.concatenate([root == np.arange(12)[:, None], tones])
    return chord.astype(np.float32).repeat(steps, axis=1)[:, :length]


def _shares(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows ``(12, N)`` as shares of their sum, ``(N, 12)``; zeros where nothing sounds."""
    shares: NDArray[np.float64] = (rows / np.maximum(rows.sum(0), np.finfo(np.float64).tiny)).T
    return shares


def _viterbi(fit: NDArray[np.float64], change: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the states ``(N,)`` with the largest sum of `fit` ``(N, S)``, less `change` ``(N,)`` for each change."""
    best = fit.copy()
    cost = change.tolist()
    changed = np.empty(len(fit))
    for n in range(1, len(fit)):
        changed[n] = best[n - 1].max() - cost[n]
        best[n] += np.maximum(best[n - 1], changed[n])
    top = best.argmax(1)
    path = np.empty(len(fit), np.int64)
    path[-1] = state = top[-1]
    stays = best[:-1] >= changed[1:, None]
    for n in range(len(fit) - 2, -1, -1):
        path[n] = state = state if stays[n, state] else top[n]
    return path


def _on_all_roots(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows ``(Q, 12)``, one for each quality, on all twelve roots: ``(12 * Q, 12)``."""
    return np.concatenate([np.roll(rows, root, axis=1) for root in range(12)])


def _log_likelihoods(root: float, tone: float, fourth: float, other: float) -> NDArray[np.float64]:
    """Return the log-probabilities ``(12 * Q, 12)`` of pitch classes under chords, relative to all being equal."""
    rows = np.full((len(QUALITIES), 12), other)
    for row, intervals in zip(rows, QUALITIES.values(), strict=True):
        row[list(intervals)] = (root, tone, tone, fourth)[: len(intervals)]
    return _on_all_roots(np.log(12 * rows / rows.sum(1, keepdims=True)))


_FIT = _log_likelihoods(_ROOT, _TONE, _FOURTH, _OTHER)
_BASS_FIT = _log_likelihoods(_BASS_ROOT, _BASS_TONE, _BASS_TONE, _BASS_OTHER)
_MEMBERS = _log_likelihoods(1.0, 1.0, 1.0, 1e-9) > 0
_RARITY = np.tile([_COST[quality] for quality in QUALITIES], 12)
