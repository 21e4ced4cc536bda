"""The notes of a recording of one voice or one instrument.

Its pitch is followed by pYIN (Mauch and Dixon 2014, "pYIN: a fundamental frequency estimator using probabilistic
threshold distributions"), as librosa has it. The notes are the states of a hidden Markov model (as in Mauch et al.
2015, "Computer-aided melody note transcription using the Tony software"), which are entered the more readily the more
the harmonics of their pitch swell. A long recording is taken piece by piece, cut where it is quiet.

The constants were tuned on folk tunes, songs and game music rendered with voices, flute, violin and piano; the figures
in docs/accompany.md are of others. ``N`` counts frames, `HOP` samples apart at `RATE`; ``P`` pitches, semitones from
`LOWEST` up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicae.tensors.recorded import RATE
from musicae.tensors.viterbi import best_path

__all__ = ["HIGHEST", "HOP", "LOWEST", "RATE", "Line", "follow"]

HOP = 256
"""Samples from one frame to the next."""

LOWEST, HIGHEST = 36, 96
"""The MIDI pitches that are followed: C2 to C7."""

Floats = NDArray[np.float64]
Block = NDArray[np.float32]
Report = Callable[[float], None]

_PIECE, _TAIL = 30 * RATE, 10 * RATE  # Samples that are taken at a time, and at the end of which a quiet place is.
_N_FFT, _MELS, _TOP = 1024, 80, 8000.0  # Of the spectrum; the highest frequency, in Hz, of what flux is in.
_WINDOW, _RESOLUTION = 2048, 0.2  # Samples in which pYIN finds periods; semitones.
_HARMONICS = 5
_LEVEL = 0.1  # To which the loudest piece is brought, root mean square;
_SILENCE = 1e-4  # below this all of it is silent.
_FAINT = -45.0  # In dB: the louder parts of a piece are taken to be no softer.

_LAG = 2  # Frames by which pYIN is late.
_SPREAD, _UNLIKE = 0.7, 4.0  # Of a sung pitch around its note, in semitones; how much less any other fits, in nats.
_DISTINCT = (15.0, 2.0)  # By so many dB its harmonics may be below those of a neighbour; 10 dB cost so much.
_RANGE, _SLOPE = 20.0, 3.0  # What is so many dB below the louder parts is half silent; the width of the transition.
_POWER, _VOICED, _SILENT = 0.3, 0.5, 1.0  # What the probability of a pitch counts; what silence costs, in nats.
_CHANGE, _REST = 7.0, 5.0  # What another note costs, and a rest, in nats.
_SWELL, _SPAN, _ENOUGH, _FLUX = 4.0, 2, 10.0, 3.0  # How much less it costs where it swells, in so many frames, by dB.
_REPEATED = -1.0  # The least that a note costs.
_APART = 4  # Frames between onsets.
_LONG, _SURE = 6, 0.2  # Frames of the shortest note; in which share of a note pYIN must find a pitch.
_BACK, _AHEAD, _RISEN = 16, 10, 0.15  # Where an onset is looked for, in frames, and at which share of the swelling.
_SOFTEST, _USUAL, _LOUDEST = 30, 96, 120  # Velocities.


@dataclass(frozen=True)
class Line:
    """The notes of a voice: ``(M,)`` each, `start` and `end` in seconds, MIDI `pitch` and `velocity`.

    `curve` ``(N,)`` is its pitch, fractional, NaN where there is none, and `tuning` by how much of a semitone it is
    higher than concert pitch. `clear` is the share of what sounds that has a pitch.
    """

    start: Floats
    end: Floats
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    curve: NDArray[np.float32]
    tuning: float
    clear: float
    seconds: float


@dataclass(frozen=True)
class _Frames:
    """What sounds in a piece: `pitch` (fractional), `voiced` (a probability), `level` in dB and `flux`, ``(N,)`` each.

    `spectrum` ``(F, N)`` holds amplitudes; `sure` is where pYIN decides for a pitch.
    """

    pitch: Floats
    voiced: Floats
    sure: NDArray[np.bool_]
    level: Floats
    flux: Floats
    spectrum: NDArray[np.float32]


def follow(blocks: Iterable[Block], report: Report | None = None) -> Line:
    """Return the notes of a recording that comes in blocks ``(T,)`` at `RATE`; none where it has no pitch.

    `report` gets the seconds that are done.
    """
    loudest, tuning, at = 0.0, 0.0, 0
    times, pitches, velocities = [np.zeros((0, 2))], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    curves = [np.zeros(0, np.float32)]
    weights, sounding, clear = [], 0, 0
    for samples in _pieces(blocks):
        loudest = max(loudest, _loudness(samples))
        frames = _frames(samples, loudest)
        if frames is not None:
            weight, tuning = _tuning(frames, tuning)
            weights.append((weight, tuning))
            start, end, pitch = _notes(frames, tuning)
            times.append((HOP * np.stack([start, end], axis=1) + at) / RATE)
            pitches.append(pitch)
            velocities.append(_velocities(frames.level, start, end))
            loud = frames.level > -_RANGE
            sounding, clear = sounding + int(loud.sum()), clear + int((loud & frames.sure).sum())
        curves.append(_curve(frames, -(-len(samples) // HOP)))
        at += len(samples)
        if report:
            report(at / RATE)
    total = sum(weight for weight, _ in weights)
    mean = sum(weight * own for weight, own in weights) / total if total else 0.0
    spans = np.concatenate(times)
    return Line(
        spans[:, 0],
        spans[:, 1],
        np.concatenate(pitches),
        np.concatenate(velocities),
        np.concatenate(curves),
        mean,
        clear / max(sounding, 1),
        at / RATE,
    )


def _pieces(blocks: Iterable[Block]) -> Iterator[Block]:
    """Go through a recording in pieces of half a minute, each of which ends where it is quiet."""
    held, size = [], 0
    for block in blocks:
        held.append(block)
        size += len(block)
        while size > _PIECE + _TAIL:
            samples = np.concatenate(held)
            cut = _PIECE - _TAIL + _quietest(samples[_PIECE - _TAIL : _PIECE])
            yield samples[:cut]
            held, size = [samples[cut:]], size - cut
    if size:
        yield np.concatenate(held)


def _quietest(samples: Block) -> int:
    """Return the middle of the quietest stretch of samples, a multiple of `HOP`."""
    powers = np.square(samples[: len(samples) // HOP * HOP].reshape(-1, HOP)).mean(1)
    smooth = np.convolve(powers, np.ones(_APART) / _APART, "same")
    return int(smooth[_APART:-_APART].argmin() + _APART) * HOP


def _loudness(samples: Block) -> float:
    """Return the root mean square of the louder parts of samples."""
    padded = np.pad(samples, (0, -len(samples) % _N_FFT))
    power = np.quantile(np.square(padded.reshape(-1, _N_FFT)).mean(1), 0.95)
    return math.sqrt(float(power))


def _frames(samples: Block, loudest: float) -> _Frames | None:
    """Return what sounds in samples, of which the louder parts of the whole have the level `loudest`; None: nothing."""
    import librosa

    if loudest < _SILENCE:
        return None
    samples = np.pad(samples * np.float32(_LEVEL / loudest), (0, max(0, _WINDOW - len(samples))))
    hertz, sure, voiced = librosa.pyin(
        samples,
        fmin=float(librosa.midi_to_hz(LOWEST)),
        fmax=float(librosa.midi_to_hz(HIGHEST)),
        sr=RATE,
        frame_length=_WINDOW,
        hop_length=HOP,
        resolution=_RESOLUTION,
        fill_na=None,
    )
    spectrum = np.abs(librosa.stft(samples, n_fft=_N_FFT, hop_length=HOP))
    mel = librosa.feature.melspectrogram(S=np.square(spectrum), sr=RATE, n_mels=_MELS, fmax=_TOP)
    flux = librosa.onset.onset_strength(
        S=librosa.power_to_db(mel, top_db=60), sr=RATE, hop_length=HOP, lag=2, max_size=3, center=False
    )
    level = librosa.feature.rms(S=spectrum, frame_length=_N_FFT)[0]
    decibels = 20 * np.log10(np.maximum(level, 1e-9))
    late = np.minimum(np.arange(len(level)) + _LAG, len(level) - 1)
    return _Frames(
        librosa.hz_to_midi(hertz)[late],
        voiced[late],
        sure[late],
        decibels - max(float(np.quantile(decibels, 0.95)), _FAINT),
        np.asarray(flux, np.float64),
        spectrum,
    )


def _tuning(frames: _Frames, near: float) -> tuple[float, float]:
    """Return how much pitch there is, and by how much of a semitone it is too high: the value nearest to `near`."""
    mean = np.sum(frames.voiced * frames.sure * np.exp(2j * np.pi * frames.pitch))
    if not abs(mean):
        return 0.0, near
    tuning = float(np.angle(mean)) / (2 * np.pi)
    return float(abs(mean)), tuning + round(near - tuning)


def _curve(frames: _Frames | None, length: int) -> NDArray[np.float32]:
    curve = np.full(length, np.nan, np.float32)
    if frames is not None:
        pitch = np.where(frames.sure, frames.pitch, np.nan)[:length]
        curve[: len(pitch)] = pitch
    return curve


# --- notes -----------------------------------------------------------------------------------------------------------


def _notes(frames: _Frames, tuning: float) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the notes of a piece: at which frames they begin and end, and their MIDI pitches."""
    strength = _strength(frames.spectrum, tuning)
    fit = _fit(frames, strength, tuning)
    path = best_path(fit, _cost(strength, frames.flux))
    start = np.flatnonzero(path.entered)
    end = np.append(start[1:], len(fit))
    row = path.states[start]
    sure = np.append(0, frames.sure.cumsum())
    kept = (row < strength.shape[1]) & (end - start >= _LONG) & (sure[end] - sure[start] >= _SURE * (end - start))
    start, end, row = start[kept], end[kept], row[kept]
    return *_refined(strength, start, end, row), row + LOWEST


def _strength(spectrum: NDArray[np.float32], tuning: float) -> Floats:
    """Return the sum of the amplitudes of the first harmonics of each pitch, ``(N, P)``."""
    hertz = 440 * 2 ** ((np.arange(LOWEST, HIGHEST + 1) - 69 + tuning) / 12)
    total = np.zeros((spectrum.shape[1], len(hertz)))
    for harmonic in range(1, _HARMONICS + 1):
        place = harmonic * hertz * _N_FFT / RATE
        inside = place < len(spectrum) - 2
        low = np.where(inside, place, 0).astype(np.int64)
        part = np.where(inside, place - low, 0.0)[:, None]
        total += (inside[:, None] * ((1 - part) * spectrum[low] + part * spectrum[low + 1])).T
    return total


def _decibels(strength: Floats) -> Floats:
    return np.asarray(20 * np.log10(strength + 1e-4), np.float64)


def _fit(frames: _Frames, strength: Floats, tuning: float) -> Floats:
    """Return how well each pitch, and in the last column a rest, fits each frame, in nats: ``(N, P + 1)``."""
    away = np.abs(frames.pitch[:, None] - tuning - np.arange(LOWEST, HIGHEST + 1))
    near = np.log(np.exp(-away / _SPREAD) / (2 * _SPREAD) + np.exp(-_UNLIKE))
    loud = 1 / (1 + np.exp(-(frames.level + _RANGE) / _SLOPE))
    sounds = np.clip(np.clip(frames.voiced, 0.01, 1.0) ** _POWER * loud, 0.01, 0.99)
    decibels = np.pad(_decibels(strength), ((0, 0), (1, 1)), mode="edge")
    below = decibels[:, 1:-1] - np.maximum(decibels[:, :-2], decibels[:, 2:])
    most, worth = _DISTINCT
    fit = np.empty((len(near), near.shape[1] + 1))
    fit[:, :-1] = near * sounds[:, None] + _VOICED * np.log(sounds)[:, None] + worth * np.clip(below, -most, 0) / 10
    fit[:, -1] = _VOICED * np.log(1 - sounds) - _SILENT
    return fit


def _cost(strength: Floats, flux: Floats) -> Floats:
    """Return what entering each pitch, and a rest, costs at each frame, in nats: less where it swells most."""
    from scipy.ndimage import maximum_filter1d

    decibels, swell = _decibels(strength), np.zeros(strength.shape)
    if len(decibels) > 2 * _SPAN:
        swell[_SPAN:-_SPAN] = decibels[2 * _SPAN :] - decibels[: -2 * _SPAN]
    most = (maximum_filter1d(swell, 2 * _APART + 1, axis=0) == swell) & (swell > 0)
    near = maximum_filter1d(flux, 3) / max(float(np.quantile(flux, 0.95)), 1e-6)
    gain = _SWELL * np.clip(swell / _ENOUGH, 0, 1) + _FLUX * np.clip(near, 0, 1.5)[:, None]
    cost = np.full((len(strength), strength.shape[1] + 1), _CHANGE)
    cost[:, :-1] -= most * gain
    cost[:, -1] = _REST
    return np.maximum(cost, _REPEATED)


def _refined(
    strength: Floats, start: NDArray[np.int64], end: NDArray[np.int64], row: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when notes begin and end, their onsets where their harmonics begin to swell; repeated ones stay."""
    start, end = start.copy(), end.copy()
    for i, own in enumerate(row):
        if i and row[i - 1] == own and start[i] - end[i - 1] < 3:
            continue
        first = max(0, start[i] - _BACK, start[i - 1] + 4 if i else 0)
        swelling = strength[first : min(start[i] + _AHEAD, end[i]), own]
        rise = swelling[: int(swelling.argmax()) + 1] if len(swelling) else swelling
        if len(swelling) < 4:
            continue
        lowest = rise.min()
        below = np.flatnonzero(rise < lowest + _RISEN * (rise[-1] - lowest))
        if len(below):
            start[i] = first + below[-1]
            if i:
                end[i - 1] = min(end[i - 1], max(start[i], start[i - 1] + 2))
    return start, end


def _velocities(level: Floats, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the velocities of notes by their level in dB, which is 0 for the louder parts."""
    levels = np.array([level[a : max(b, a + 1)].max(initial=-60.0) for a, b in zip(start, end, strict=True)])
    return np.clip(np.rint(_USUAL + 1.5 * levels), _SOFTEST, _LOUDEST).astype(np.int64)
