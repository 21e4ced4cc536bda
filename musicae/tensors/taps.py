"""Taps on a table, in a recording or played freely: when each comes, how strong it is, and the tempo they have.

Onsets are found by librosa, from the spectral flux (Böck and Widmer 2013, "Maximum filter vibrato suppression for onset
detection", without the filter), and moved to the steepest rise of the level near by. librosa also gives a first tempo;
of it and its simple ratios the one is taken on whose sixteenths the first taps fit best, and fitted to all.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from musicae.errors import MusicaeError

__all__ = ["RATE", "STEPS", "fitted", "onsets"]

RATE = 22_050
"""The sample rate, in Hz, that `onsets` takes."""

STEPS = 4
"""Steps of the grid in a beat."""

_HOP, _FFT = 128, 512
_AT_ONCE, _COMPRESSION = 4096, 30.0  # Frames in memory; by what magnitudes are multiplied before their logarithm.
_CLEAR = 0.15  # How far a peak is over the flux around it, of the highest.
_MIN_GAP = 0.05  # Seconds between two taps.
_NEAR_PEAK, _AROUND_PEAK = 0.03, 0.1  # Seconds in which a peak of the flux is the highest, and has to be clear.
_LEAST = 0.05  # The strength of a tap, of that of the strongest.
_SILENT = 1e-4  # The peak of a recording without taps.
_RISE = 0.015  # Seconds around an onset in which the level rises most.
_SOFTEST = 0.15  # The velocity of the softest tap.

_MIN_TAPS = 4
_RANGE = (60.0, 200.0)  # Beats a minute.
_RATIOS = (1.0, 2.0, 0.5, 1.5, 2 / 3, 0.75, 4 / 3)
_NEAR, _TRIALS = 0.06, 61  # How far from a first tempo, and how many, are tried.
_USUAL, _OCTAVES = 110.0, 0.9  # Tempos are log-normal, as in librosa.
_CHANCES = np.log([0.55, 0.1, 0.25, 0.1])  # That a tap is on the beat, on the second, third and fourth sixteenth.
_ERROR = 0.02  # Seconds by which taps are off the grid.
_BEGINNING = 8.0  # Seconds of taps in which a tempo is looked for.
_CLICKS = 100  # A second, for librosa.
_MAX_STEP = 1.0  # Second.
_MAX_ERROR = 0.17  # Steps by which they may be on average, for a tempo to be believed; at random it is .25.

Floats = NDArray[np.float64]


def onsets(samples: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return when each tap in samples ``(T,)`` at `RATE` comes, in seconds, and how loud it is, 0 to 1.

    Raise MusicaeError where there are none.
    """
    import librosa

    if not len(samples) or np.abs(samples).max() < _SILENT:
        raise MusicaeError("it is silent; record the taps again")
    samples = np.pad(samples, (_FFT, _FFT))
    flux = _flux(samples)
    # As `librosa.onset.onset_detect` does, which compiles for half a minute first.
    close, around, apart = (round(seconds * RATE / _HOP) for seconds in (_NEAR_PEAK, _AROUND_PEAK, _MIN_GAP))
    frames = librosa.util.peak_pick(
        flux / max(float(flux.max()), _SILENT),
        pre_max=close,
        post_max=1,
        pre_avg=around,
        post_avg=around + 1,
        delta=_CLEAR,
        wait=apart,
    )
    if not len(frames):
        raise MusicaeError("no taps were found in it; record them louder")
    half = round(_RISE * RATE)
    level = np.abs(samples)
    places, loud = [], []
    for place in frames * _HOP:
        begin = max(0, place - half)
        near = level[begin : place + 2 * half]
        power = np.convolve(near**2, np.ones(32) / 32, mode="full")[: len(near)]
        places.append(begin + int(np.argmax(np.diff(np.sqrt(power), prepend=0.0))))
        loud.append(float(near.max()))
    strength = np.asarray(loud) / max(loud)
    kept = strength >= _LEAST
    # A recorded level is a power of how loud a hit is meant to be.
    velocity = np.clip(np.sqrt(strength[kept]), _SOFTEST, 1.0)
    return (np.asarray(places, np.float64)[kept] - _FFT) / RATE, velocity


def _flux(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much louder the spectrum of samples ``(T,)`` becomes from frame to frame, one in `_HOP` samples."""
    window = np.hanning(_FFT).astype(np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(np.pad(samples, _FFT // 2), _FFT)[::_HOP]
    rises, before = [], None
    for start in range(0, len(framed), _AT_ONCE):
        level = np.log1p(_COMPRESSION * np.abs(np.fft.rfft(framed[start : start + _AT_ONCE] * window)))
        first = level[:1] if before is None else before
        rises.append(np.maximum(np.diff(level, axis=0, prepend=first), 0).mean(1))
        before = level[-1:]
    flux: NDArray[np.float32] = np.concatenate(rises).astype(np.float32)
    return flux


def fitted(times: Floats, tempo: float | None = None) -> tuple[float, Floats]:
    """Return the tempo of taps at `times` ``(N,)`` in seconds, in beats a minute, and where they lie, in sixteenths.

    The first tap is on the first beat of a bar. A `tempo` that is given is kept. Raise MusicaeError where there is no
    steady one.
    """
    if tempo is not None:
        return tempo, _places(times, 60 / tempo / STEPS)
    if len(times) < _MIN_TAPS:
        raise MusicaeError(f"{len(times)} tap(s) do not tell a tempo; name it, such as --tempo 100")
    first = times[: max(_MIN_TAPS, int(np.searchsorted(times, times[0] + _BEGINNING)))]
    tempos = _tempos(first)
    step = _refined(times, 60 / STEPS / tempos[int(np.argmax([_fit(first, one) for one in tempos]))])
    places = _places(times, step)
    if not 0 < step < _MAX_STEP or np.abs(places - np.rint(places)).mean() > _MAX_ERROR:
        raise MusicaeError("the taps have no steady tempo; name it, such as --tempo 100")
    return 60 / step / STEPS, places


def _tempos(times: Floats) -> Floats:
    """Return the tempos to try: near that which librosa finds, and in simple ratios to it."""
    import librosa

    clicks = np.zeros(int((times[-1] - times[0]) * _CLICKS) + 2 * _CLICKS, np.float32)
    clicks[np.rint((times - times[0]) * _CLICKS).astype(int) + _CLICKS // 2] = 1.0
    smooth = np.convolve(clicks, np.hanning(7), mode="same")
    first = librosa.feature.tempo(onset_envelope=smooth, sr=_CLICKS, hop_length=1, start_bpm=_USUAL)
    middle = max(float(np.median(np.diff(times))), _MIN_GAP)
    starts = [float(np.ravel(first)[0]), *(60 / (middle * count) for count in (1, 2, 4))]
    tried = np.concatenate(
        [start * ratio * np.linspace(1 - _NEAR, 1 + _NEAR, _TRIALS) for start in starts for ratio in _RATIOS]
    )
    return np.append(_USUAL, tried[(tried >= _RANGE[0]) & (tried <= _RANGE[1])])


def _fit(times: Floats, tempo: float) -> float:
    """Return how well taps fit a tempo: the logarithm of their probability, up to a constant."""
    step = 60 / tempo / STEPS
    places = _places(times, step)
    nearest = np.rint(places)
    off = (places - nearest) * step
    chances = _CHANCES[nearest.astype(int) % STEPS].sum() - 0.5 * (math.log2(tempo / _USUAL) / _OCTAVES) ** 2
    return float(len(times) * math.log(step) - 0.5 * np.square(off / _ERROR).sum() + chances)


def _refined(times: Floats, step: float) -> float:
    """Return the length of a step, fitted by least squares to more and more of the taps."""
    count = min(len(times), _MIN_TAPS)
    while True:
        part = times[:count]
        nearest = np.rint(_places(part, step))
        if nearest[-1] > nearest[0]:
            step = float(np.polyfit(nearest, part, 1)[0])
        if count == len(times) or step <= 0:
            return step
        count = min(len(times), math.ceil(1.5 * count))


def _places(times: Floats, step: float) -> Floats:
    """Return where taps lie on a grid of steps of so many seconds that fits them best, the first at step 0."""
    raw = (times - times[0]) / step
    # The grid is moved to the circular mean of what is left, which the first tap alone need not show.
    shift = float(np.angle(np.exp(2j * np.pi * raw).mean())) / (2 * np.pi)
    places: Floats = raw - shift
    places -= np.rint(places[0])
    return places
