"""Chords recognised from notes: templates of pitch classes, the bass, and the best path through a song.

How well a chord fits a beat is judged by its pitch-class profile (Fujishima 1999, "Realtime chord recognition of
musical sound"). The profile is taken for draws from the chord's own distribution over the pitch classes, so that both
tones outside the chord and tones it lacks count. The chords of a song are the states of a hidden Markov model, decoded
with the Viterbi algorithm (Sheh and Ellis 2003, "Chord segmentation and recognition using EM-trained hidden Markov
models"), in which they change more readily on strong beats (Papadopoulos and Peeters 2008, "Simultaneous estimation of
chord progression and downbeats from an audio file").

The constants were tuned on songs 001 to 400 of POP909 (Wang et al. 2020), whose chords are annotated; the last choices
(`_SOUND`, `_OCTAVE`, `_POWER`, what chords of four tones cost) also on arrangements of lead sheets rich in sevenths.
``N`` counts beats, ``L`` steps; the 12 pitch classes begin with C.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from musicae.tensors.viterbi import best_path

__all__ = ["QUALITIES", "first_beat", "of_notes", "recognize"]

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

_COST = {"maj": 0.0, "min": 0.0, "dim": 1.0, "aug": 1.9, "sus2": 1.3, "sus4": 1.2, "7": 0.5, "maj7": 0.7, "min7": 0.5,
         "maj6": 0.9, "hdim7": 1.6, "dim7": 1.7}  # fmt: skip
"""How much less probable a kind of chord is than a triad, in nats."""

# How long each tone of a chord sounds on average, relative to the others, and any tone outside it; then for the bass.
_ROOT, _TONE, _FOURTH, _OTHER = 1.4, 1.0, 1.3, 0.05
_BASS_ROOT, _BASS_TONE, _BASS_OTHER = 1.0, 0.125, 0.05

_NOTES, _BASS = 5.3, 0.55  # How many draws the tones of a beat are worth, and its bass.
_POWER = 0.6  # Compresses how long a tone sounds, so that repeated ones do not drown the others.
_ENOUGH = 3.2  # Beats with less than this are worth less; a triad of loud notes at the song's median pitch has 3.
_SILENCE, _SOUND = 0.9, 8.0  # What no chord gains where nothing sounds, and loses where something does, in nats.
_BAR, _HALF, _BEAT = 1.4, 2.7, 5.0  # What a change of chord costs at a bar line, in mid-bar and elsewhere, in nats.

_LOUDNESS = 0.25  # The power of a velocity.
_OCTAVE = 0.55  # How much less a note counts an octave higher: chords are low, melodies are not.
_UNIT = 4096  # That a note of the median pitch, as loud as can be, counts.
_NOTHING = 128  # Above all pitches of MIDI.


def recognize(
    weights: NDArray[np.float64], bass: NDArray[np.float64], beats_per_bar: int = 4, first: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the roots ``(N,)`` and pitch classes ``(12, N)`` of the chords of N beats; root -1 is no chord.

    `weights` ``(12, N)`` tells how long each pitch class sounds, in beats summed over notes, the low ones counting more
    (see `of_notes`), and `bass` ``(12, N)`` for which part of a beat it is the lowest. The first beat is the one
    numbered `first`, from 0, of a bar.
    Transposed weights give the same chords transposed, exactly.
    """
    beats = weights.shape[1]
    if not beats:
        return np.zeros(0, np.int64), np.zeros((12, 0), bool)
    # Sums differ in their last bits with their order, and ties fall to the first: so all transpositions of a song are
    # brought to the same one, the last in the order of their bytes.
    song = np.stack([weights, bass]).astype(np.float64)
    key = max(range(12), key=lambda semitones: np.roll(song, -semitones, axis=1).tobytes())
    fit = _fit(*np.roll(song, -key, axis=1))
    path = best_path(fit, _changes(beats, beats_per_bar, first)).states
    none = path == len(_MEMBERS)
    path[none] = 0
    root = np.where(none, -1, (path // len(QUALITIES) + key) % 12)
    return root, np.roll(_MEMBERS[path].T, key, axis=0) & ~none


def first_beat(weights: NDArray[np.float64], bass: NDArray[np.float64], beats_per_bar: int = 4) -> int:
    """Return the number in its bar, from 0, of the first of N beats: that with which `recognize` fits them best."""
    fit = _fit(np.asarray(weights, np.float64), np.asarray(bass, np.float64))
    if not len(fit):
        return 0
    scores = [best_path(fit, _changes(len(fit), beats_per_bar, first)).worth for first in range(beats_per_bar)]
    return int(np.argmax(scores))


def _fit(weights: NDArray[np.float64], bass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how well each chord, and in the last column none, fits each of N beats, in nats: ``(N, S)``."""
    weights = weights**_POWER
    amount = weights.sum(0)
    fit = np.zeros((weights.shape[1], len(_MEMBERS) + 1))
    fit[:, :-1] = _NOTES * _shares(weights) @ _FIT.T + _BASS * _shares(bass) @ _BASS_FIT.T - _RARITY
    fit *= np.minimum(amount / _ENOUGH, 1.0)[:, None]
    fit[:, -1] = np.where(amount > 0, -_SOUND, _SILENCE)
    return fit


def _changes(beats: int, beats_per_bar: int, first: int) -> NDArray[np.float64]:
    """Return what a change of chord costs at each beat, in nats."""
    beat = (np.arange(beats) + first) % beats_per_bar
    return np.select([beat == 0, 2 * beat == beats_per_bar], [_BAR, _HALF], _BEAT)


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
    first, last = np.clip(start, 0, size - 1), np.clip(end, 0, size - 1)
    kept = last > first
    if not kept.any():
        return np.zeros((24, length), np.float32)
    first, last, pitch, velocity = first[kept], last[kept], pitch[kept], velocity[kept]

    height = (pitch - np.sort(pitch)[len(pitch) // 2]) / 12.0  # Above the median, so that all keys are treated alike.
    loudness = (velocity / 127.0) ** _LOUDNESS * _OCTAVE**height
    # Integers: their sums are exact, and come back to 0 where the notes end.
    loudness = np.maximum(np.rint(_UNIT * loudness), 1.0)
    row = pitch % 12 * size
    roll = np.bincount(np.concatenate([row + first, row + last]), np.concatenate([loudness, -loudness]), 12 * size)
    weights = roll.reshape(12, size).cumsum(1)[:, :-1].reshape(12, beats, steps).sum(2) / (_UNIT * steps)
    low = _lowest(first, last, pitch, size - 1)
    lowest = (low % 12 == np.arange(12)[:, None]) & (low < _NOTHING)
    root, tones = recognize(weights, lowest.reshape(12, beats, steps).mean(2), bar // steps)
    chord = np.concatenate([root == np.arange(12)[:, None], tones])
    return chord.astype(np.float32).repeat(steps, axis=1)[:, :length]


def _lowest(
    first: NDArray[np.int64], last: NDArray[np.int64], pitch: NDArray[np.int64], length: int
) -> NDArray[np.int64]:
    """Return the lowest pitch at each of `length` steps, `_NOTHING` where there is none.

    A note covers two stretches of ``2^k`` steps, which may overlap; those are then halved until they are single steps.
    The time is that of the notes and of ``length * log(length)``, however long the notes are.
    """
    power = np.frexp(last - first)[1].astype(np.int64) - 1
    table = np.full((power.max() + 1, length), _NOTHING, np.int64)
    np.minimum.at(table, (power, first), pitch)
    np.minimum.at(table, (power, last - (1 << power)), pitch)
    for k in range(len(table) - 1, 0, -1):
        half = 1 << k - 1
        np.minimum(table[k - 1], table[k], out=table[k - 1])
        np.minimum(table[k - 1, half:], table[k, :-half], out=table[k - 1, half:])
    lowest: NDArray[np.int64] = table[0]
    return lowest


def _shares(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows ``(12, N)`` as shares of their sum, ``(N, 12)``; zeros where nothing sounds."""
    shares: NDArray[np.float64] = (rows / np.maximum(rows.sum(0), np.finfo(np.float64).tiny)).T
    return shares


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
