"""The beats of a recording, what sounds in each, and its chords.

Beats are tracked by librosa (Ellis 2007, "Beat tracking by dynamic programming"). What sounds is a constant-Q spectrum
(Schörkhuber and Klapuri 2010, "Constant-Q transform toolbox for music processing"), its pitches folded to pitch classes
as in a chromagram (Fujishima 1999), and those of the bass apart. The chords are then found as they are in notes, by
`musicae.tensors.chords`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicae.tensors import chords as recogniser
from musicae.tensors.chord_symbols import NO_CHORD, Chord

__all__ = ["BEATS_PER_BAR", "RATE", "Heard", "beats_of"]

RATE = 22_050
"""The sample rate that `beats_of` takes, in Hz."""

BEATS_PER_BAR = 4
"""What a bar of a recording is taken to have."""

Floats = NDArray[np.float64]

_HOP = 1024  # Samples from one column of the spectrum to the next.
_LOWEST, _OCTAVES = 24, 7  # MIDI pitch C1, and how many octaves from there.
_BASS = 29  # Pitches from the lowest that may be a bass: up to E3.
_SILENCE = 1e-3  # Below this amplitude a recording is silent.
_QUIET = 0.1  # Beats softer than this share of the median are worth less.
_USUAL = 0.5  # Seconds of a beat where none is found.
_HARMONICS = ((19, 0.3), (28, 0.2))  # Semitones above a pitch, and how loud; octaves are of the same pitch class.
_FAINT = 0.08  # Of the loudest pitch of a beat; softer ones do not count.
_COMPRESSION = 0.5  # So that one loud pitch does not drown the others.
_OCTAVE = 0.75  # How much less a pitch counts an octave higher.
_LEVEL = 1.5  # So that beats of a song are worth what those of notes are.
_CLEAR = 0.4  # Of the loudest low pitch; the lowest one over it is the bass.


@dataclass(frozen=True)
class Heard:
    """What sounds in each of N beats: `weights` and `bass` ``(12, N)`` as `recogniser.recognize` takes them.

    `times` are the N + 1 seconds at which beats begin and the last ends, `tempo` is in beats a minute.
    """

    times: list[float]
    weights: Floats
    bass: Floats
    tempo: float

    def chords(self) -> tuple[list[Chord], int]:
        """Return the chord of each beat, and the number of the first beat in its bar, from 0."""
        first = recogniser.first_beat(self.weights, self.bass, BEATS_PER_BAR)
        root, tones = recogniser.recognize(self.weights, self.bass, BEATS_PER_BAR, first)
        members = [frozenset(np.flatnonzero(column).tolist()) for column in tones.T]
        pairs = zip(root.tolist(), members, strict=True)
        return [Chord(r, classes, r) if r >= 0 else NO_CHORD for r, classes in pairs], first


def beats_of(samples: NDArray[np.float32]) -> Heard:
    """Return the beats of a recording ``(T,)`` at `RATE`, from its start to its end, and what sounds in them."""
    import librosa

    seconds = len(samples) / RATE
    samples = np.pad(samples, (0, max(0, RATE - len(samples))))  # A second, for librosa.
    _, frames = librosa.beat.beat_track(y=samples, sr=RATE, trim=False)
    at = _filled(librosa.frames_to_time(frames, sr=RATE), seconds)
    spectrum = np.abs(librosa.cqt(samples, sr=RATE, hop_length=_HOP, fmin=librosa.midi_to_hz(_LOWEST),
                                  n_bins=12 * _OCTAVES))  # fmt: skip
    columns = librosa.time_to_frames(at, sr=RATE, hop_length=_HOP)
    weights, bass = what_sounds(_means(spectrum.astype(np.float64), columns))
    return Heard(at.tolist(), weights, bass, 60 / float(np.median(np.diff(at))))


def _filled(beats: Floats, seconds: float) -> Floats:
    """Return beats, in seconds, continued evenly to the start and to the end of a recording."""
    usual = float(np.median(np.diff(beats))) if len(beats) > 1 else _USUAL
    beats = beats if len(beats) else np.zeros(1)
    before = beats[0] - usual * np.arange(int(beats[0] / usual + 0.5), 0, -1)
    after = np.arange(beats[-1] + usual, seconds - usual / 2, usual)
    inside = np.concatenate([before, beats, after])
    return np.concatenate([[0.0], inside[(inside > usual / 2) & (inside < seconds - usual / 2)], [seconds]])


def _means(spectrum: Floats, columns: NDArray[np.int64]) -> Floats:
    """Return the mean of a spectrum ``(P, T)`` over each beat ``(P, N)``; `columns` are the N + 1 bounds."""
    total = np.concatenate([np.zeros((len(spectrum), 1)), spectrum.cumsum(1)], axis=1)
    start = np.minimum(columns[:-1], spectrum.shape[1] - 1)
    end = np.clip(columns[1:], start + 1, spectrum.shape[1])
    means: Floats = (total[:, end] - total[:, start]) / (end - start)
    return means


def what_sounds(spectrum: Floats) -> tuple[Floats, Floats]:
    """Return the `weights` and the `bass` of beats, see `Heard`, of how loud each pitch is, ``(P, N)``.

    Pitches count from C1 up. Harmonics of lower pitches, and what is near to a louder pitch, do not count.
    """
    loud = np.maximum(spectrum, 0.0)
    for semitones, share in _HARMONICS:
        loud[semitones:] -= share * spectrum[:-semitones]
    loud = np.maximum(loud, 0.0)
    padded = np.pad(loud, ((1, 1), (0, 0)))
    loud = np.where((loud >= padded[:-2]) & (loud >= padded[2:]), loud, 0.0)
    loud = np.where(loud > _FAINT * loud.max(0, initial=0.0), loud, 0.0)
    amount = loud.sum(0)
    level = float(np.median(amount[amount > 0])) if amount.any() else 1.0
    if spectrum.max(initial=0.0) < _SILENCE:
        level, loud = 1.0, np.zeros_like(loud)
    even = (loud / np.maximum(amount, _QUIET * level)) ** _COMPRESSION
    height = (np.arange(len(loud)) / 12 - 2)[:, None]
    weights = _LEVEL * (even * _OCTAVE**height).reshape(-1, 12, loud.shape[1]).sum(0)
    low = loud[:_BASS]
    clear = low > _CLEAR * np.maximum(low.max(0, initial=0.0), 1e-12)
    lowest = clear.argmax(0)
    bass = ((lowest % 12 == np.arange(12)[:, None]) & clear.any(0)).astype(np.float64)
    return weights, bass
