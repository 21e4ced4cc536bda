"""Taps: when they come, and their tempo."""

import numpy as np
import pytest

from musicae.errors import MusicaeError
from musicae.tensors import taps

PATTERN = [0, 4, 6, 8, 11, 12, 16, 20, 22, 24, 27, 28, 30]


def knocks(times, loud, seconds, seed=0, noise=0.002):
    """Return a recording of knocks on wood."""
    rng = np.random.default_rng(seed)
    samples = noise * rng.standard_normal(int(seconds * taps.RATE))
    t = np.arange(int(0.12 * taps.RATE)) / taps.RATE
    for time, level in zip(times, loud, strict=True):
        knock = level * np.exp(-t / 0.012) * (np.sin(2 * np.pi * 190 * t) + 0.5 * rng.standard_normal(len(t)))
        at = int(time * taps.RATE)
        samples[at : at + len(knock)] += 0.5 * knock[: len(samples) - at]
    return samples.astype(np.float32)


def test_onsets_and_loudness_are_found():
    times = 0.4 + np.array(PATTERN) * 0.15
    loud = np.where(np.array(PATTERN) % 8 == 4, 1.0, 0.3)
    found, velocity = taps.onsets(knocks(times, loud, 6))
    assert len(found) == len(times)
    assert np.abs(found - times).max() < 0.004
    assert velocity[loud == 1].min() > velocity[loud < 1].max()
    assert velocity.max() == 1.0


@pytest.mark.parametrize("tempo", [72.0, 93.0, 120.0, 141.0])
def test_the_tempo_of_taps_is_found(tempo):
    rng = np.random.default_rng(int(tempo))
    times = 2.3 + np.array(PATTERN) * 15 / tempo + 0.008 * rng.standard_normal(len(PATTERN))
    found, places = taps.fitted(times)
    assert found == pytest.approx(tempo, rel=0.01)
    assert np.rint(places).tolist() == PATTERN
    assert np.abs(places - np.rint(places)).mean() * 15 / tempo < 0.02


def test_a_named_tempo_is_kept():
    found, places = taps.fitted(np.array([1.0, 1.5, 2.02]), 120.0)
    assert found == 120
    assert places.round(1).tolist() == [-0.1, 3.9, 8.1]


def test_what_has_no_taps_or_no_tempo_is_refused():
    with pytest.raises(MusicaeError, match="it is silent"):
        taps.onsets(np.zeros(4000, np.float32))
    with pytest.raises(MusicaeError, match="it is silent"):
        taps.onsets(np.zeros(0, np.float32))
    with pytest.raises(MusicaeError, match="2 tap"):
        taps.fitted(np.array([0.0, 1.0]))
    with pytest.raises(MusicaeError, match="no steady tempo; name it"):
        taps.fitted(np.random.default_rng(0).uniform(0.1, 0.9, 60).cumsum())
