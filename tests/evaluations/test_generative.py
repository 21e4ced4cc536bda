"""Bounds on models whose likelihood can be computed by hand."""

import math

import pytest
import torch

from musicae.core import ConditionSpec, Latent, Model
from musicae.errors import MusicaeError
from musicae.evaluations import generative
from musicae.evaluations.shared import classifier, common

D, NOISE = 4, 0.6


class Linear(Model):
    """``x = W z + noise``, z normal: ``-log p(x)`` is a Gaussian's, and so is the true posterior, up to its shape."""

    latent_size = 2

    def __init__(self):
        super().__init__()
        self.weight = torch.tensor([[1.0, 0.4], [0.4, 0.9], [-0.3, 0.5], [0.5, 0.2]])

    def encode(self, x, cond=None):
        precision = torch.eye(2) + self.weight.T @ self.weight / NOISE**2
        mean = x.flatten(1) @ self.weight @ torch.linalg.inv(precision) / NOISE**2
        # The best independent Gaussian around it (Bishop 2006, section 10.1.2).
        return Latent(mean, -precision.diagonal().log().expand_as(mean))

    def params(self, z, x=None, cond=None):
        return (z @ self.weight.T).view(-1, 1, 2, 2)

    def exact(self, x):
        spread = self.weight @ self.weight.T + NOISE**2 * torch.eye(D)
        return -torch.distributions.MultivariateNormal(torch.zeros(D), spread).log_prob(x.flatten(1))


@pytest.fixture
def linear(kit):
    parts = kit.made(Linear(), size=2)
    parts.likelihood.scale = NOISE
    return parts


def observed(model, n, seed=1):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 2, generator=rng) @ model.weight.T + NOISE * torch.randn(n, D, generator=rng)
    return x.view(n, 1, 2, 2)


def test_importance_weights_come_to_the_exact_likelihood(linear):
    x = observed(linear.model, 200)
    exact = linear.model.exact(x)
    found = generative.iwae(linear, x, 2000)
    assert (found - exact).abs().max() < 0.25
    assert found.mean() == pytest.approx(exact.mean().item(), abs=0.01)


def test_bounds_fall_from_the_elbo_to_the_likelihood(linear):
    x = observed(linear.model, 3000)
    exact = linear.model.exact(x).mean().item()
    elbo = generative.neg_elbo(linear, x)[0].mean().item()
    means = [generative.iwae(linear, x, k).mean().item() for k in (1, 5, 50)]
    assert elbo > means[1] > means[2] > exact - 0.01
    assert means[0] == pytest.approx(elbo, abs=0.1)  # With one sample the bound is the ELBO.


def test_the_elbo_is_short_of_the_likelihood_by_the_posteriors_divergence(linear):
    model, x = linear.model, observed(linear.model, 4000)
    precision = torch.eye(2) + model.weight.T @ model.weight / NOISE**2
    true = torch.distributions.MultivariateNormal(torch.zeros(2), precision_matrix=precision)
    mine = torch.distributions.MultivariateNormal(torch.zeros(2), torch.diag(1 / precision.diagonal()))
    gap = torch.distributions.kl_divergence(mine, true).item()
    short = (generative.neg_elbo(linear, x)[0] - model.exact(x)).mean().item()
    assert gap > 0.05
    assert short == pytest.approx(gap, abs=0.05)


def test_bounds_do_not_depend_on_how_many_are_decoded_at_once_more_than_by_chance(linear, monkeypatch):
    x = observed(linear.model, 50)
    whole = generative.iwae(linear, x, 500)
    monkeypatch.setattr(generative, "_MAX_ROWS", 100)  # Fewer than one picture needs.
    assert (generative.iwae(linear, x, 500) - whole).abs().mean() < 0.1


def test_a_code_that_is_a_point_has_no_likelihood(kit):
    with pytest.raises(MusicaeError, match="is a point"):
        generative.iwae(kit.made(kit.Whole((1, 8, 8))), torch.zeros(1, 1, 8, 8), 5)


def test_a_model_without_a_code_is_sent_elsewhere(kit):
    with pytest.raises(MusicaeError, match="'pictures'"):
        generative.generative(kit.made(kit.Echo()), kit.drawn(5), kit.drawn(5), {})


def test_a_model_that_knows_nothing_costs_a_bit_a_pixel(kit):
    parts = kit.made(kit.Doubtful((1, 8, 8)), "bernoulli")
    train, test = kit.drawn(300, seed=1), kit.drawn(60)
    figures = generative.generative(parts, train, test, {}, importance=7, pictures=20, importance_all=3, samples=0)
    for name in ("neg_elbo", "nll", "nll_k3"):
        assert figures[name] == pytest.approx(64 * math.log(2), rel=1e-5)
    assert figures["kl_nats"] == figures["rate_bits"] == 0
    assert figures["floor_bce"] < figures["floor_neg_elbo"] < figures["neg_elbo"]
    assert figures["probe_accuracy"] < 0.6
    assert figures["floor_probe_accuracy"] > 0.9


def test_the_floor_knows_each_pixel_on_its_own():
    shares = torch.tensor([[[0.25, 0.5]]])
    x = torch.tensor([[[[1.0, 1.0]]], [[[0.0, 1.0]]]])
    known = [-math.log(0.25 * 0.5), -math.log(0.75 * 0.5)]
    assert generative.independent(shares, x).tolist() == pytest.approx(known)
    assert generative.independent(torch.zeros(1, 1, 2), x).isfinite().all()


def test_the_mean_of_each_pixel(kit):
    train = kit.drawn(50)
    assert generative.average(train).allclose(common.all_of(train).mean(0), atol=1e-6)


def test_pictures_become_black_and_white_by_chance_where_values_are_probabilities(kit):
    x = torch.full((50, 1, 8, 8), 0.3)
    drawn = generative._binarise(kit.made(kit.Whole((1, 8, 8)), "bernoulli"), x, 0)
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(0.3, abs=0.03)
    assert generative._binarise(kit.made(kit.Whole((1, 8, 8))), x, 0) is x


class Bars(Model):
    """Draws the bar it is asked for, as bright as its code says."""

    latent_size, condition = 1, ConditionSpec(3, classes=True)

    def __init__(self, wrong=False):
        super().__init__()
        self.wrong = wrong

    def encode(self, x, cond=None):
        return Latent(x.mean((1, 2, 3))[:, None])

    def params(self, z, x=None, cond=None):
        out = torch.full((len(z), 1, 12, 12), 0.12)
        for i, label in enumerate(((cond.argmax(1) + self.wrong) % 3).tolist()):
            out[i, :, :, 2 * label : 2 * label + 2] += 0.59
        return out + 0.02 * z.view(-1, 1, 1, 1)


def test_draws_are_judged_by_an_independent_classifier(kit, monkeypatch, tmp_path):
    train, test = kit.drawn(640, 12, seed=1), kit.drawn(200, 12)
    net = classifier.trained(train, epochs=6)
    monkeypatch.setattr(classifier, "trained", lambda windows: net)
    right = kit.made(Bars(), size=12)
    monkeypatch.setattr("musicae.codec.load", lambda name: kit.made(Bars(wrong=True), size=12))
    figures = generative.generative(right, train, test, {}, samples=300, against="other")
    assert figures["classifier_accuracy"] > 0.95
    assert figures["label_agreement"] > 0.95
    assert figures["floor_label_agreement"] == pytest.approx(1 / 3)
    assert 0 <= figures["floor_frechet"] < figures["frechet"]
    assert figures["frechet_vae"] == pytest.approx(figures["frechet"], rel=0.3)  # The same bars, in another order.
    assert "neg_elbo" not in figures
    wrong = generative.generative(kit.made(Bars(wrong=True), size=12), train, test, {}, samples=300)
    assert wrong["label_agreement"] < 0.1
    monkeypatch.setattr("musicae.codec.load", lambda name: kit.made(Bars(), size=8))
    with pytest.raises(MusicaeError, match="another shape"):
        generative.generative(right, train, test, {}, samples=50, against="other")


def test_other_pictures_are_told_by_their_elbo(kit, monkeypatch):
    class Known(kit.Doubtful):
        """Expects the darkness that the data has everywhere but in its bars."""

        def params(self, z, x=None, cond=None):
            return torch.full((len(z), *self.shape), -2.0)

    bright = kit.drawn(60)
    bright.data = 255 - bright.data
    monkeypatch.setattr("musicae.evaluations.generative.other_set", lambda *_: bright)
    parts = kit.made(Known((1, 8, 8)), "bernoulli")
    figures = generative.generative(
        parts, kit.drawn(60, seed=1), kit.drawn(60), {}, importance=0, importance_all=0, samples=0, outliers="in-verse"
    )
    assert figures["auroc_in_verse"] == 1
    assert figures["floor_auroc_in_verse"] > 0.9
    assert "nll" not in figures
