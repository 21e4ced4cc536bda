"""Figures of grooves, on a model whose figures are known."""

import pytest
import torch
from groove_model import ANSWER, LATE, LOUD, beat, drummer
from mirror_model import exact

from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.evaluations import groove as suite


def windows(count, seed=0):
    """Return windows in which the snare is played as the model does, and the kick is late; steps last 100 ms."""
    rng = torch.Generator().manual_seed(seed)
    data = []
    for _ in range(count):
        kicks, snares = torch.randperm(32, generator=rng)[:4].tolist(), torch.randperm(32, generator=rng)[:4].tolist()
        own = [(step, 0, 0.25, LATE + 0.1) for step in kicks] + [(step, ANSWER, LOUD, LATE) for step in snares]
        data.append(beat(*own))
    pieces = torch.arange(count) // 10
    return Windows(
        torch.stack(data), pieces, 27, [str(i) for i in range(count)], cond=torch.full((count, 1, 32), 100.0)
    )


@pytest.fixture(scope="module")
def figures():
    return suite.groove(drummer(), windows(60), windows(40, 1), pairs=4, samples=20, steps=3)


def test_what_is_humanized_is_compared(figures):
    assert figures["predicted_timing_error"] == pytest.approx(5.0, abs=1e-4)
    assert figures["predicted_velocity_error"] == pytest.approx(127 / 8, abs=1e-3)
    assert figures["predicted_timing_spread"] == pytest.approx(0.0, abs=1e-4)
    assert figures["floor_grid_timing_error"] == pytest.approx(17.5, abs=1e-4)
    assert figures["floor_timing_error"] <= figures["floor_place_timing_error"]
    assert figures["timing_error"] >= 0


def test_an_example_tells_the_rest(figures):
    assert figures["like_timing_error"] >= 0
    assert "floor_like_timing_error" in figures


def test_of_taps_one_drum_is_known(figures):
    assert 0.4 < figures["taps_f1"] < 0.8
    assert figures["floor_taps_f1"] == max(figures["floor_pattern_taps_f1"], figures["floor_neighbour_taps_f1"])


def test_a_code_keeps_all(figures):
    assert figures["exact_windows"] == figures["onset_f1_mean"] == 1.0
    assert figures["kept_timing_error"] == pytest.approx(0.0, abs=1e-4)
    assert figures["kept_velocity_error"] == pytest.approx(0.0, abs=1e-3)
    assert {"midpoint_density_ratio", "prior_density_ratio", "floor_prior_density_ratio", "kl_nats"} <= set(figures)


def test_other_presets_and_too_little_data_are_refused():
    with pytest.raises(MusicaeError, match="is no preset for grooves"):
        suite.groove(exact(), windows(4), windows(4))
    with pytest.raises(MusicaeError, match="two windows or more"):
        suite.groove(drummer(), windows(4), windows(1))
