"""Tell speech from music: by how sure a detector of voices is, and by how the pitch and the sound move.

Singing has a voice as well, but holds its notes; tunes hold theirs; speech glides, and changes a few times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae.tensors.dsp import EPS
from musicae.tensors.voice_activity import RATE, voice_activity

__all__ = ["FEATURES", "expanded", "speech_features", "speech_log_odds"]

Array = NDArray[np.floating[Any]]

_SIZE, _HOP = 1024, 512  # Samples of a frame, and from one to the next.
_LOW, _HIGH = 6, 257  # Bins of the spectrum that count: 100 to 4,000 Hz.
_SMOOTHED = 9  # Bins: what is taller than these around it is a peak.
_LAGS = (18, 229)  # Samples of a period, of pitches from 70 to 890 Hz.
_BANDS = (0, 20, 50, 100, 180, 251)  # Bins above _LOW.
_COLOURS = 20  # Bands that tell one vowel from another.
_SLOWEST = 0.5  # Hz
_SHORT, _MIDDLE, _LONG = 2, 4, 8  # Frames: 64, 128 and 256 ms.
_ONE_TONE = 7  # Semitones: what moves further in so short a time is an error of the pitch.
_CLEAR = 0.6  # Of the autocorrelation at the period, where there is a pitch.
_SURE = 7.0  # Log-odds of a voice: more than this is as good.
_FAR = 3.0  # Standard deviations: what is further away counts no more.

#: For each feature its mean and its standard deviation, and what it and its square count for, in units of the latter.
#: Found with ``python tests/bench/speech_or_music.py FOLDER --fit`` on the clips of docs/sound-data.md.
FEATURES: dict[str, tuple[float, float, float, float]] = {
    "voice_most": (-5.051, 2.219, -0.2304, -0.2508),
    "voice_some": (0.7247, 5.263, 3.911, -0.8911),
    "voice_change": (0.4572, 0.2147, 0.6032, -0.3122),
    "steady": (0.2423, 0.2064, -0.1485, 0.8282),
    "colours": (1.094, 0.3634, 0.5357, -0.3768),
    "slow": (0.5242, 0.1868, 0.7497, -0.08527),
    "together": (0.6639, 0.1777, 0.6296, -0.1093),
    "quiet": (0.2571, 0.2032, -0.2911, 0.3867),
    "held": (0.5113, 0.2693, -4.41, -0.5083),
    "long": (0.7104, 0.2262, -0.128, -1.015),
    "drift_4": (-0.6528, 0.6158, 0.4725, 1.345),
    "drift_8": (-0.7186, 0.6914, -0.09375, 0.3628),
    "jumps": (0.1153, 0.1288, -1.08, -0.1717),
}
BIAS = -4.025


def speech_log_odds(features: Mapping[str, float]) -> float:
    """Return how surely the features are of speech: log-odds, over 0 for more likely than not.

    It is a logistic regression on them and their squares.
    """
    values = np.array([[features[name] for name in FEATURES]])
    table = np.array(list(FEATURES.values()))
    return float(BIAS + (expanded(values, table[:, 0], table[:, 1]) @ table[:, 2:].T.ravel())[0])


def expanded(values: Array, means: Array, deviations: Array) -> Array:
    """Return features ``(N, K)`` in standard deviations from their means, and the squares of those, ``(N, 2 K)``."""
    scaled = np.clip((values - means) / deviations, -_FAR, _FAR)
    return np.concatenate([scaled, np.square(scaled)], 1)


@torch.inference_mode()
def speech_features(samples: Tensor, weights: Mapping[str, Tensor]) -> dict[str, float]:
    """Return what tells speech from music in samples ``(T,)`` at 16 kHz; `weights` are those of `voice_activity`."""
    samples = torch.nn.functional.pad(samples, (0, max(0, 8 * _SIZE - len(samples))))
    odds = voice_activity(samples, weights)
    window = torch.hann_window(_SIZE)
    spectra = torch.fft.rfft(samples.unfold(0, _SIZE, _HOP) * window, 2 * _SIZE).abs().square()
    powers = spectra[:, ::2][:, _LOW:_HIGH].double().numpy()
    return {**_voice(odds.double().numpy()), **_sound(powers), **_pitch(spectra, window, powers.sum(1))}


def _voice(odds: Array) -> dict[str, float]:
    """Return the log-odds of a voice in most moments and in few, and how much they change from one to the next."""
    odds = np.clip(odds, -_SURE, _SURE)
    low, high = np.quantile(odds, (0.1, 0.9))
    return {"voice_most": low, "voice_some": high, "voice_change": np.abs(np.diff(odds)).mean()}


def _sound(powers: Array) -> dict[str, float]:
    """Return how the sound moves, from powers ``(frames, bins)``.

    Do the peaks of its spectrum stay where they are for 256 ms, how much do its colour and its loudness change, and do
    they change slowly, and in all bands at once?
    """
    loudness = powers.sum(1)
    mean = loudness.mean() + EPS
    levels = np.log(powers / (1e-3 * powers.mean() + EPS) + 1)
    peaks = levels - _smooth(levels, _SMOOTHED)
    peaks /= np.sqrt(np.square(peaks).sum(1, keepdims=True)) + 1e-6
    weight = np.sqrt(np.minimum(loudness[:-_LONG], loudness[_LONG:]))
    steady = ((peaks[:-_LONG] * peaks[_LONG:]).sum(1) @ weight) / (weight.sum() + EPS)
    edges = np.linspace(0, powers.shape[1], _COLOURS + 1)[:-1].astype(int)
    colours = np.log(np.add.reduceat(powers, edges, 1) + 1e-2 * powers.mean() + EPS)
    colours -= colours.mean(1, keepdims=True)
    bands = np.stack([np.sqrt(powers[:, a:b]).sum(1) for a, b in pairwise(_BANDS)], 1)
    moving = np.log(bands + 1e-2 * bands.mean(0) + EPS)
    moving -= moving.mean(0)
    rates = np.fft.rfftfreq(len(moving), _HOP / RATE)
    strengths = np.square(np.abs(np.fft.rfft(moving * np.hanning(len(moving))[:, None], axis=0)))
    slow, every = (strengths[(rates > _SLOWEST) & (rates < rate)].sum(0) for rate in (2, 15))
    return {
        "steady": steady,
        "colours": colours.std(0).mean(),
        "slow": (slow / (every + EPS)).mean(),
        "together": np.square((moving / (moving.std(0) + 1e-6)).mean(1)).mean(),
        "quiet": (loudness < 0.1 * mean).mean(),
    }


def _smooth(x: Array, size: int) -> Array:
    """Return the mean of so many neighbours along the last axis."""
    sums = np.cumsum(np.pad(x, ((0, 0), (size // 2 + 1, size // 2)), "edge"), 1)
    means: Array = (sums[:, size:] - sums[:, :-size]) / size
    return means


def _pitch(spectra: Tensor, window: Tensor, loudness: Array) -> dict[str, float]:
    """Return whether the pitch is held for 64 ms, how far it drifts in 128 and 256 ms, and how often it jumps."""
    pitch, clear = _track(spectra, window)
    voiced = clear & (loudness > 1e-3 * np.quantile(loudness, 0.95))
    count = max(int(voiced.sum()), 1)
    found = {}
    for frames in (_SHORT, _MIDDLE, _LONG):
        runs = np.lib.stride_tricks.sliding_window_view(pitch, frames + 1)
        whole = np.lib.stride_tricks.sliding_window_view(voiced, frames + 1).all(1)
        ranges = runs.max(1) - runs.min(1)
        drifts = np.abs(runs[:, -1] - runs[:, 0])[whole & (ranges < _ONE_TONE)]
        if frames == _SHORT:
            found = {"held": (whole & (ranges < 1)).sum() / count, "long": whole.sum() / count}
        else:
            found[f"drift_{frames}"] = np.log10((np.median(drifts) if len(drifts) > 3 else 0) + 0.03)
    steps = np.abs(np.diff(pitch))[voiced[1:] & voiced[:-1]]
    return {**found, "jumps": (steps > 2).mean() if len(steps) else 0.0}


def _track(spectra: Tensor, window: Tensor) -> tuple[Array, NDArray[np.bool_]]:
    """Return the pitch of each frame in semitones, and whether there is one: by autocorrelation (Boersma 1993)."""
    low, high = _LAGS
    own = torch.fft.irfft(torch.fft.rfft(window, 2 * _SIZE).abs().square())[: high + 1]
    alike = torch.fft.irfft(spectra)[:, : high + 1]
    alike = (alike / (alike[:, :1] + EPS) / (own / own[0])).double().numpy()
    inner = alike[:, low:high]
    best = inner.max(1)
    # The first peak that is nearly the best: the best may be of two periods.
    peaks = (inner > 0.85 * best[:, None]) & (inner >= alike[:, low - 1 : high - 1]) & (inner >= alike[:, low + 1 :])
    lag = np.where(peaks.any(1), peaks.argmax(1), inner.argmax(1)) + low
    rows = np.arange(len(lag))
    before, at, after = alike[rows, lag - 1], alike[rows, lag], alike[rows, lag + 1]
    curve = np.minimum(before - 2 * at + after, -EPS)
    return -12 * np.log2(lag + np.clip(0.5 * (before - after) / curve, -1, 1)), best > _CLEAR
