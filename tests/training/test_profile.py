import math

import pytest
import torch
from torch import nn

from musicae import preset as presets
from musicae.errors import MusicaeError
from musicae.training.products import Products
from musicae.training.profile import _limit, matrix_rate, profile


def test_the_limit_is_that_of_the_fastest_product():
    with Products() as products:
        nn.Linear(6, 5)(torch.randn(4, 6))
    assert _limit(products) > 0
    assert math.isnan(_limit(Products()))


def test_a_matrix_product_has_a_speed():
    assert 1e6 < matrix_rate((64, 64, 64), torch.float32, torch.device("cpu")) < 1e15


def test_a_profile_trains_a_few_steps_and_leaves_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ["dataset.name=midi-files", "model.width=16", "model.depth=1", "model.heads=2", "training.batch=8"]
    preset = presets.load("melody-2bar", [*settings, "model.gru_width=0"])
    measured = profile(preset, {"midi-files": folder}, cpu=True)
    assert measured.batch == 8
    assert measured.examples_per_second == pytest.approx(8 / measured.seconds)
    assert measured.flops > 2 * 3 * 8 * 8 * 16 * 64 * 2  # More than its perceptrons take.
    assert 0 < measured.share_of_limit < 1.5
    assert sum(part.share for part in measured.operations) == pytest.approx(1)
    shares = [part.share for part in measured.operations]
    assert shares == sorted(shares, reverse=True)
    assert "addmm" in {part.name for part in measured.operations}
    assert [path.name for path in tmp_path.iterdir()] == ["midi"]


def test_a_profile_of_no_data_says_so(tmp_path):
    preset = presets.load("melody-2bar", ["dataset.name=midi-files"])
    with pytest.raises(MusicaeError, match="no MIDI files under"):
        profile(preset, {"midi-files": tmp_path}, cpu=True)
