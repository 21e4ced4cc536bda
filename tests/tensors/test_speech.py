"""What tells speech from music, on sounds of which it is known."""

import numpy as np
import pytest
import torch

from musicae.ops.detect import _weights
from musicae.tensors.speech import BIAS, FEATURES, expanded, speech_features, speech_log_odds

RATE = 16_000


def features(x):
    return speech_features(torch.from_numpy(np.asarray(x, np.float32)), _weights())


def tone(hz, levels=(1, 0.5, 0.3)):
    """A tone with overtones whose pitch is `hz` at each sample."""
    turns = 2 * np.pi * np.cumsum(hz) / RATE
    return 0.1 * sum(level * np.sin(k * turns) for k, level in enumerate(levels, start=1))


def test_a_held_tone_is_held_and_steady():
    found = features(tone(np.full(3 * RATE, 220.0)))
    assert found["held"] > 0.9
    assert found["long"] > 0.9
    assert found["steady"] > 0.9
    assert found["drift_4"] < np.log10(0.05)
    assert found["jumps"] == 0


def test_a_gliding_tone_drifts_as_far_as_it_glides():
    octaves_per_second = 0.5
    found = features(tone(110 * 2 ** (octaves_per_second * np.arange(3 * RATE) / RATE)))
    assert found["drift_4"] == pytest.approx(np.log10(12 * octaves_per_second * 0.128 + 0.03), abs=0.05)
    assert found["drift_8"] == pytest.approx(np.log10(12 * octaves_per_second * 0.256 + 0.03), abs=0.05)
    assert found["steady"] < features(tone(np.full(3 * RATE, 220.0)))["steady"] - 0.3


def test_a_tune_jumps():
    tune = np.repeat([220, 330, 247, 440, 294, 220, 330, 247], RATE // 2)
    assert 0.01 < features(tone(tune))["jumps"] < 0.2


def test_slow_and_quick_changes_of_loudness_differ():
    time = np.arange(4 * RATE) / RATE
    for hz, slow in ((1, True), (5, False)):
        found = features(tone(np.full(len(time), 150.0)) * (0.6 + 0.4 * np.sin(2 * np.pi * hz * time)))
        assert (found["slow"] > 0.5) == slow
        assert found["together"] > 0.7  # All bands at once.


def test_pauses_are_quiet():
    x = tone(np.full(4 * RATE, 200.0))
    x[: 2 * RATE] = 0
    assert features(x)["quiet"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("length", [1, 1000, 30_000])
def test_features_are_numbers_whatever_is_heard(length):
    rng = np.random.default_rng(0)
    for x in (np.zeros(length), 1e-9 * rng.standard_normal(length), np.ones(length), rng.standard_normal(length)):
        found = features(x)
        assert found.keys() == FEATURES.keys()
        assert np.isfinite(list(found.values())).all()
        assert np.isfinite(speech_log_odds(found))


def test_the_log_odds_are_a_regression_on_features_and_their_squares():
    usual = {name: row[0] for name, row in FEATURES.items()}
    assert speech_log_odds(usual) == pytest.approx(BIAS)
    mean, deviation, linear, square = FEATURES["held"]
    for steps in (1, -2):
        moved = speech_log_odds({**usual, "held": mean + steps * deviation})
        assert moved == pytest.approx(BIAS + steps * linear + steps**2 * square)
    far = [speech_log_odds({**usual, "held": mean + steps * deviation}) for steps in (3, 50)]
    assert far[0] == pytest.approx(far[1])  # No single feature outweighs all others.


def test_features_are_expanded_by_their_squares():
    found = expanded(np.array([[3.0, 0.0]]), np.array([1.0, 1.0]), np.array([2.0, 0.1]))
    assert found.tolist() == [[1.0, -3.0, 1.0, 9.0]]
