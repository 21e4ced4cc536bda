"""What suites of sequences share, on lines and bands whose figures are known."""

import math

import pytest
import torch

from musicae import codec
from musicae.core import Latent, Model, Windows
from musicae.evaluations.shared import sequences
from musicae.preset import Preset
from musicae.tensors import band
from musicae.tensors.likelihoods.bernoulli import Bernoulli
from musicae.tensors.metrics import exact


class Whole(Model):
    """Keeps everything: its code is the tensor, a point."""

    def __init__(self, shape):
        super().__init__()
        self.shape, self.latent_size = shape, math.prod(shape)

    def encode(self, x, cond=None):
        return Latent(x.flatten(1))

    def params(self, z, x=None, cond=None):
        return z.view(-1, *self.shape) - 0.5


def whole(adapter):
    tiny = {"name": "patch-vae", "latent": 2, "width": 8, "depth": 1, "heads": 2}
    parts = codec.build(Preset(adapter, {"adapter": {"name": adapter}, "model": tiny}))
    parts.model = Whole(parts.spec.full_shape)
    return parts


def drums(n, seed=0):
    return Windows(torch.rand(n, 9, 32, generator=torch.Generator().manual_seed(seed)) < 0.2, torch.arange(n), 9)


def test_components_keep_all_only_if_there_are_enough():
    parts, x = whole("drums"), drums(50).batch(torch.arange(50))
    assert exact(x, sequences.Components(parts, drums(2000, 1)).restore(x)).mean() > 0.95
    parts.model.latent_size = 8
    assert exact(x, sequences.Components(parts, drums(2000, 1)).restore(x)).sum() == 0


def test_components_of_0_and_1_are_probabilities():
    parts, x = whole("drums"), drums(50).batch(torch.arange(50))
    parts.likelihood = Bernoulli(threshold=0.3)
    assert exact(x, sequences.Components(parts, drums(2000, 1)).restore(x)).mean() > 0.9
    parts.model.latent_size = 8
    more = sequences.Components(parts, drums(2000, 1)).restore(x).mean()
    parts.likelihood = Bernoulli()
    assert sequences.Components(parts, drums(2000, 1)).restore(x).mean() < more < 0.5


def test_few_training_windows_are_taken_where_they_are_large(monkeypatch):
    monkeypatch.setattr(sequences, "_MAX_TRAIN_VALUES", 9 * 32 * 40)
    x = drums(50).batch(torch.arange(50))
    assert exact(x, sequences.Components(whole("drums"), drums(2000, 1)).restore(x)).sum() == 0


def test_windows_are_encoded_and_measured_some_at_a_time(monkeypatch):
    parts, test = whole("drums"), drums(50)
    x = test.batch(torch.arange(50))
    monkeypatch.setattr(sequences, "_VALUES_AT_ONCE", 9 * 32 * 7)
    assert [len(index) for index in sequences.in_parts(parts, 50)] == [7] * 7 + [1]
    assert torch.equal(sequences.encoded(parts, test).mean, x.flatten(1))
    assert sequences.encoded(parts, test).logvar is None
    assert torch.equal(sequences.per_window(parts, test, lambda part: sequences.density(parts, part)), x.sum((1, 2)))


def test_one_hot_channels_are_those_of_lines():
    mask = sequences.one_hot(band.spec(32))
    assert mask.nonzero().squeeze(1).tolist() == list(range(band.groups_of("harmony")[0].start))


def test_a_distance_counts_each_part_and_no_velocities():
    x = band.silent()[None, :, None].repeat(1, 1, 4)
    y = x.clone()
    y[0, band.groups_of("drums")[1]] = 0.5
    assert sequences._apart(band.spec(4), x, y).item() == 0
    y[0, band.groups_of("drums")[0], 1] = 1
    y[0, band.groups_of("harmony")[0], 1:3] = 1
    assert sequences._apart(band.spec(4), x, y).item() == 3


@pytest.mark.parametrize("at_once", [15_000_000, 1000])
def test_walks_of_a_perfect_codec_go_one_way_and_return_what_lies_half_way(monkeypatch, at_once):
    monkeypatch.setattr(sequences, "_VALUES_AT_ONCE", at_once)
    parts, test, figures = whole("drums"), drums(40), {}
    codes = sequences.encoded(parts, test).mean
    middle, a, b = sequences.interpolation(figures, parts, test, codes, 12, 5, 0)
    assert set(figures) == {
        f"{prefix}interpolation_{name}" for prefix in ("", "floor_") for name in ("monotone", "max_jump")
    }
    assert figures["interpolation_monotone"] == 1
    assert middle.shape == (12, 9, 32)
    assert not set(a.tolist()) & set(b.tolist())
    x, y = test.batch(a), test.batch(b)
    agree = x == y
    assert torch.equal(middle[agree], x[agree])
