"""The beats of a recording, what sounds in each, and its chords.

Beats are tracked by librosa (Ellis 2007, "Beat tracking by dynamic programming"). What sounds is a constant-Q spectrum
(Schörkhuber and Klapuri 2010, "Constant-Q transform toolbox for music processing"), its pitches folded to pitch classes
as in a chromagram (Fujishima 1999), and those of the bass apart. The chords are then found as they are in notes, by
`musicae.tensors.chords`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicae.tensors import chords as recogniser
from musicae.tensors.chord_symbols import NO_CHORD, Chord

__all__ = ["BEATS_PER_BAR", "RATE", "Heard", "beats_of", "beats_of_onsets", "beats_of_tempo"]

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
_FINE = 256  # Samples from one place to the next at which notes may begin.
_MINUTE = 60  # Seconds in which the tempo is estimated at a time.
_EVEN = 0.06  # Root mean square by which even beats are off, in beats.
_PHASES = 96  # Of a beat that are tried.
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


def beats_of_onsets(onsets: Floats, loudness: Floats, seconds: float) -> Floats:
    """Return the beats ``(N,)`` of notes that begin at `onsets`, in seconds, from before 0 to after `seconds`.

    Where they are as good as even, they are made so.
    """
    import librosa

    frames = librosa.time_to_frames(onsets, sr=RATE, hop_length=_FINE)
    strength = np.zeros(int(librosa.time_to_frames(seconds, sr=RATE, hop_length=_FINE)) + 2)
    np.maximum.at(strength, np.clip(frames, 0, len(strength) - 1), loudness)
    strength = np.convolve(strength, np.hanning(7), "same")
    # A tempogram takes megabytes for each second.
    parts = np.array_split(strength, -(-len(strength) * _FINE // (_MINUTE * RATE)))
    tempos = [librosa.feature.tempo(onset_envelope=part, sr=RATE, hop_length=_FINE)[0] for part in parts if part.any()]
    tempo = float(np.median(tempos)) if tempos else 60 / _USUAL
    _, found = librosa.beat.beat_track(onset_envelope=strength, sr=RATE, hop_length=_FINE, bpm=tempo, trim=False)
    beats = np.asarray(librosa.frames_to_time(found, sr=RATE, hop_length=_FINE), np.float64)
    if len(beats) < 2:
        return beats_of_tempo(onsets, 60 / _USUAL, seconds)
    lasts, first = np.polyfit(np.arange(len(beats)), beats, 1)
    even = first + lasts * np.arange(len(beats))
    if np.sqrt(np.mean(np.square(beats - even))) < _EVEN * lasts:
        return _shifted(onsets, float(lasts), seconds, float(first))
    usual = float(np.median(np.diff(beats)))
    before = beats[0] - usual * np.arange(math.ceil(beats[0] / usual) + 1, 0, -1)
    after = beats[-1] + usual * np.arange(1, max(0.0, seconds - beats[-1]) / usual + 2)
    return np.asarray(np.concatenate([before, beats, after]), np.float64)


def beats_of_tempo(onsets: Floats, tempo: float, seconds: float) -> Floats:
    """Return beats at a steady `tempo`, per minute, where most notes begin on them or on their halves and quarters."""
    lasts = 60 / tempo
    phases = lasts * np.arange(_PHASES) / _PHASES
    away = 2 * np.pi * (onsets - phases[:, None]) / lasts
    fit = (np.cos(away) + np.cos(2 * away) + np.cos(4 * away)).sum(1)
    return _shifted(onsets, lasts, seconds, float(phases[int(fit.argmax())]))


def _shifted(onsets: Floats, lasts: float, seconds: float, phase: float) -> Floats:
    """Return even beats, one of them at `phase` or so near that the notes begin on quarters of them on average."""
    if len(onsets):
        turn = np.exp(2j * np.pi * 4 * (onsets - phase) / lasts).sum()
        phase += float(np.angle(turn)) / (2 * np.pi) * lasts / 4
    phase -= lasts * (math.floor(phase / lasts) + 1)
    return np.asarray(phase + lasts * np.arange(math.ceil((seconds - phase) / lasts) + 2), np.float64)


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
