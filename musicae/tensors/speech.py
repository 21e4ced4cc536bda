"""Tell speech from other sounds by how much of them a denoiser for speech keeps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from musicae.tensors.dsp import EPS

__all__ = ["share_kept"]

Samples = NDArray[np.float32]

_VOICE_BAND = (200, 4000)  # Hz, where voices are loudest.
_FRAMES_PER_SECOND = 10
_BEST_SHARE = 10  # One frame in so many counts: those of which most is kept.


def share_kept(before: Samples, after: Samples, rate: int) -> float:
    """Return the share of the power between 200 and 4,000 Hz that denoising keeps, in the best tenth of all moments.

    The best moments (a tenth of a second each) are those with the most power after denoising: a voice stands out of
    its noise in some of them, music in few.

    Parameters
    ----------
    before, after : samples ``(T,)``, before and after denoising; the share of no samples is 0.
    rate : of both, in Hz.
    """
    if not len(before):
        return 0.0
    given, kept = _frame_powers(before, rate), _frame_powers(after, rate)
    best = kept.argsort()[-math.ceil(len(kept) / _BEST_SHARE) :]
    return float(kept[best].sum() / max(given[best].sum(), EPS))


def _frame_powers(samples: Samples, rate: int) -> Samples:
    """Return the power in the voice band in each tenth of a second."""
    size = rate // _FRAMES_PER_SECOND
    frames = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size) * np.hanning(size).astype(np.float32)
    band = slice(*(round(edge * size / rate) for edge in _VOICE_BAND))
    powers: Samples = np.square(np.abs(np.fft.rfft(frames)))[:, band].sum(1)
    return powers
