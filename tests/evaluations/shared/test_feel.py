"""Errors and distributions of timing and loudness."""

import pytest
import torch
from groove_model import beat

from musicae.core import Windows
from musicae.evaluations.shared.feel import Rivals, distribution, errors, f1
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES, tapped

X = torch.stack([beat((0, 0, 1.0, 0.2), (4, 1, 0.5, -0.2)), beat((0, 0, 0.5, 0.0), (4, 1, 0.5, 0.4))])
LENGTHS = torch.full((2, 32), 100.0)


def test_errors_are_in_milliseconds_and_velocities():
    y, figures = X.clone(), {}
    y[:, OFFSETS] = 0.0
    y[:, VELOCITIES] = 0.5
    errors(figures, "a_", X, y, LENGTHS)
    errors(figures, "floor_b_", X, X, LENGTHS)
    assert figures["a_timing_error"] == pytest.approx(20.0)
    assert figures["a_velocity_error"] == pytest.approx(127 / 8)
    assert figures["floor_b_timing_error"] == 0.0
    assert "spread_a_timing_error" in figures


def test_spread_and_distance_are_those_of_all_hits():
    y, figures = X.clone(), {}
    y[:, OFFSETS] *= 0.5
    distribution(figures, "", X, y, (LENGTHS, LENGTHS))
    assert figures["timing_spread"] == pytest.approx(0.5)
    assert figures["timing_distance"] == pytest.approx(10.0, abs=0.1)
    assert figures["velocity_spread"] == pytest.approx(1.0)
    assert figures["velocity_kl"] == pytest.approx(0.0, abs=1e-6)
    assert figures["timing_kl"] > 0


def test_hits_are_scored_together():
    figures = {}
    f1(figures, "", "f1", X[:, HITS] > 0, X.flip(0)[:, HITS] > 0)
    f1(figures, "floor_", "none", X[:, HITS] > 0, torch.zeros(2, 9, 32, dtype=torch.bool))
    assert (figures["f1"], figures["floor_none"]) == (1.0, 0.0)


def test_rivals_know_the_training_windows():
    rivals = Rivals(Windows(X, torch.tensor([0, 1]), 27))
    flat = rivals.on_grid(X)
    assert flat[:, OFFSETS].count_nonzero() == 0
    assert rivals.at_places(X)[:, OFFSETS][:, 1, 4].tolist() == pytest.approx([0.1, 0.1])
    assert rivals.at_places(X)[:, VELOCITIES][:, 0, 0].tolist() == pytest.approx([0.75, 0.75])
    near = rivals.neighbours(X[1:])
    assert near[0, OFFSETS][1, 4].item() in (pytest.approx(-0.2), pytest.approx(0.4))
    assert rivals.pattern(torch.ones(1, 32, dtype=torch.bool)).nonzero().tolist() == [[0, 0, 0], [0, 1, 4]]
    assert rivals.answers(tapped(X)).equal(X[:, HITS] > 0)
