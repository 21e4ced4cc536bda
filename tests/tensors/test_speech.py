"""The share of a voice that denoising keeps."""

import numpy as np
import pytest

from musicae.tensors.speech import share_kept

RATE = 16_000


def tone(hz, seconds=2.0):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


def test_the_share_is_of_power():
    x = tone(1000)
    for gain, share in ((1.0, 1.0), (0.5, 0.25), (0.0, 0.0)):
        assert share_kept(x, np.float32(gain) * x, RATE) == pytest.approx(share, abs=1e-5)


def test_only_the_band_of_voices_counts():
    x = tone(1000) + tone(6000) + tone(60)
    assert share_kept(x, tone(1000), RATE) == pytest.approx(1, abs=0.01)
    assert share_kept(x, tone(6000) + tone(60), RATE) == pytest.approx(0, abs=0.01)


def test_the_best_tenth_of_moments_decides():
    x = tone(1000)
    kept = x.copy()
    kept[RATE // 5 :] *= 0.1  # The first two of twenty tenths of a second stay.
    assert share_kept(x, kept, RATE) == pytest.approx(1, abs=1e-5)
    kept[RATE // 10 :] *= 0.1
    assert share_kept(x, kept, RATE) < 0.6


def test_nothing_and_silence_have_no_share():
    assert share_kept(np.zeros(0, np.float32), np.zeros(0, np.float32), RATE) == 0
    assert share_kept(np.zeros(5000, np.float32), np.zeros(5000, np.float32), RATE) == 0
