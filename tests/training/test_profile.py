import math

import pytest
import torch
from torch import nn

from musicae import preset as presets
from musicae.errors import MusicaeError
from musicae.training.profile import _Products, matrix_rate, profile


@pytest.mark.parametrize(
    ("layer", "shape", "forward"),
    [
        (nn.Linear(6, 5), (4, 3, 6), 2 * 12 * 6 * 5),
        (nn.Conv2d(2, 4, 3, padding=1), (3, 2, 8, 8), 2 * 3 * 64 * 18 * 4),
        (nn.Conv1d(2, 4, 4, stride=2, padding=1), (3, 2, 8), 2 * 3 * 4 * 8 * 4),
        (nn.ConvTranspose2d(4, 2, 4, stride=2, padding=1), (3, 4, 8, 8), 2 * 3 * 64 * 32 * 4),
        (nn.LSTM(4, 4, batch_first=True), (3, 7, 4), 2 * 21 * 2 * 16 * 4),
    ],
)
def test_the_operations_of_a_layer_are_counted(layer, shape, forward):
    x = torch.randn(shape, requires_grad=True)
    with _Products() as products:
        out = layer(x)
        out = out[0] if isinstance(out, tuple) else out
        assert sum(products.flops.values()) == forward
        out.sum().backward()
    assert sum(products.flops.values()) == 3 * forward  # The gradients of the input, and of the weights.
    assert products.limit() > 0


def test_where_there_is_no_product_there_is_no_limit():
    with _Products() as products:
        torch.ones(3).exp()
    assert math.isnan(products.limit())


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
