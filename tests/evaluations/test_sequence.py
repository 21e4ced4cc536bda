"""Figures of sequences, checked on models whose figures are known."""

import math

import pytest
import torch

from musicae import codec
from musicae.core import Latent, Model, Windows
from musicae.errors import MusicaeError
from musicae.evaluations import sequence
from musicae.evaluations.shared import sequences
from musicae.preset import Preset

NAMES = {
    "token_accuracy_mean", "token_accuracy_sampled", "onset_f1_mean", "exact_windows", "interpolation_monotone",
    "interpolation_max_jump", "data_cost", "midpoint_cost_excess", "midpoint_density_ratio", "blend_cost_excess",
    "prior_cost_excess", "prior_density_ratio", "kl_nats", "windows", "seconds",
}  # fmt: skip


class Perfect(Model):
    """Keeps everything: its code is the tensor, with a spread of `std`."""

    def __init__(self, spec, std):
        super().__init__()
        self.shape, self.std = spec.full_shape, std
        self.latent_size = math.prod(self.shape)

    def encode(self, x, cond=None):
        mean = x.flatten(1)
        return Latent(mean, torch.full_like(mean, 2 * math.log(self.std)))

    def params(self, z, x=None, cond=None):
        return z.view(-1, *self.shape) - (0.5 if self.shape[0] == 9 else 0.0)


def perfect(adapter="melody", std=1e-3, bars=2):
    parts = codec.build(
        Preset(adapter, {"adapter": {"name": adapter, "bars": bars}, "model": {"name": "lm", "width": 4}})
    )
    parts.model = Perfect(parts.spec, std)
    return parts


def windows(n, adapter="melody", seed=0, steps=32):
    rng = torch.Generator().manual_seed(seed)
    if adapter == "drums":
        return Windows(torch.rand(n, 9, steps, generator=rng) < 0.2, torch.arange(n), 9)
    return Windows(torch.randint(0, 90, (n, steps), generator=rng, dtype=torch.uint8), torch.arange(n), 90)


@pytest.mark.parametrize("adapter", ["melody", "drums"])
def test_a_perfect_codec_has_perfect_figures(adapter):
    figures = sequence.sequence(perfect(adapter), windows(100, adapter, 1), windows(80, adapter), pairs=30)
    for name in ("token_accuracy_mean", "token_accuracy_sampled", "onset_f1_mean", "exact_windows"):
        assert figures[name] == 1.0
        assert figures[f"spread_{name}"] == 0.0
    assert figures["interpolation_monotone"] == 1.0
    assert 0 < figures["interpolation_max_jump"] <= 1
    assert figures["kl_nats"] > 1000


def test_a_single_window_has_no_pair_to_interpolate():
    figures = sequence.sequence(perfect(), windows(100, seed=1), windows(1))
    assert figures["token_accuracy_mean"] == 1.0
    assert not any(math.isnan(value) or "interpolation" in name for name, value in figures.items())


def test_a_code_of_much_noise_is_worse_when_drawn_than_at_its_mean():
    figures = sequence.sequence(perfect(std=0.5), windows(100, seed=1), windows(80), pairs=30)
    assert figures["token_accuracy_mean"] == 1.0
    assert figures["token_accuracy_sampled"] < 0.9


def test_the_floor_of_as_many_components_as_there_are_numbers_is_perfect_too():
    figures = sequence.sequence(perfect("drums"), windows(2000, "drums", 1), windows(50, "drums"), pairs=10)
    assert figures["floor_exact_windows"] > 0.95


@pytest.fixture
def judged(tmp_path):
    """A language model that has learnt nothing: it gives about the same cost to everything."""
    torch.manual_seed(0)
    recipe = Preset("lm", {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 4},
                           "evaluation": {"name": "sequence"}})  # fmt: skip
    judge = codec.build(recipe)
    judge.save(tmp_path / "lm.safetensors")
    return tmp_path / "lm.safetensors"


def test_costs_are_in_nats_a_step_above_real_data(judged):
    figures = sequence.sequence(perfect(), windows(100, seed=1), windows(60), lm=str(judged), pairs=20, samples=20)
    assert set(figures) >= NAMES - {"windows", "seconds"}
    assert figures["data_cost"] == pytest.approx(math.log(90), rel=0.1)
    assert abs(figures["midpoint_cost_excess"]) < 0.2
    assert figures["blend_density_ratio"] == pytest.approx(1.0, abs=0.05)


def test_a_language_model_is_measured_above_the_frequencies(judged):
    figures = sequence.sequence(codec.load(str(judged)), windows(2000, seed=1), windows(60))
    assert figures["floor_data_cost"] == pytest.approx(math.log(90), rel=0.03)
    assert figures["data_cost"] == pytest.approx(math.log(90), rel=0.1)


def test_long_windows_are_judged_piece_by_piece(judged):
    judge, x = codec.load(str(judged)), windows(6, steps=96).batch(torch.arange(6))
    each = [sequences.cost(judge, piece) for piece in x.split(32, dim=-1)]
    assert torch.allclose(sequences.cost(judge, x), torch.stack(each).mean(0), atol=1e-5)
    long = perfect(bars=6)
    figures = sequence.sequence(long, windows(100, seed=1, steps=96), windows(40, steps=96), lm=str(judged), pairs=10,
                                samples=10)  # fmt: skip
    assert figures["data_cost"] == pytest.approx(math.log(90), rel=0.1)
    assert figures["token_accuracy_mean"] == 1
    with pytest.raises(MusicaeError, match="of 16 steps do not consist of windows of 32"):
        sequences.cost(judge, x[..., :16])


def test_windows_some_at_a_time_have_the_same_figures(judged, monkeypatch):
    args = (perfect(std=0.5), windows(100, seed=1), windows(61))
    whole = sequence.sequence(*args, lm=str(judged), pairs=20, samples=20)
    monkeypatch.setattr(sequences, "_VALUES_AT_ONCE", 90 * 32 * 7)
    assert sequence.sequence(*args, lm=str(judged), pairs=20, samples=20) == pytest.approx(whole, rel=1e-4, abs=1e-6)
