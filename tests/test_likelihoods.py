import math

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.likelihoods import Bernoulli, Categorical, Gaussian, Laplace, LogSpectral, Spectral


def one_hot(index, classes):
    return torch.nn.functional.one_hot(index, classes).movedim(-1, 1).float()


def test_categorical_nll_is_in_nats_an_example():
    target = one_hot(torch.randint(4, (3, 5)), 4)
    torch.testing.assert_close(Categorical().nll(torch.zeros(3, 4, 5), target), torch.full((3,), 5 * math.log(4)))


def test_bernoulli_nll_is_in_nats_an_example():
    target = torch.randint(2, (3, 4, 5)).float()
    torch.testing.assert_close(Bernoulli().nll(torch.zeros(3, 4, 5), target), torch.full((3,), 20 * math.log(2)))


def test_gaussian_nll_is_the_density():
    params, target = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    expected = -torch.distributions.Normal(params, 0.5).log_prob(target).flatten(1).sum(1)
    torch.testing.assert_close(Gaussian(0.5).nll(params, target), expected)


def test_laplace_nll_is_the_density_and_draws_follow_it():
    params, target = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    expected = -torch.distributions.Laplace(params, 0.5).log_prob(target).flatten(1).sum(1)
    torch.testing.assert_close(Laplace(0.5).nll(params, target), expected)
    drawn = Laplace(0.5).sample(torch.ones(1, 1, 50_000), 2.0, torch.Generator().manual_seed(0))
    assert drawn.median().item() == pytest.approx(1, abs=0.02)
    assert (drawn - 1).abs().mean().item() == pytest.approx(1, abs=0.02)
    with pytest.raises(MusicaeError, match="scale must be over 0"):
        Laplace(0.0)


@pytest.mark.parametrize("likelihood", [Categorical(), Bernoulli(), Gaussian(), Laplace()])
@pytest.mark.parametrize("shape", [(2, 3, 8), (2, 3, 4, 4)])
def test_temperature_zero_is_the_mode_and_a_seed_repeats(likelihood, shape):
    params = torch.randn(shape)
    torch.testing.assert_close(likelihood.sample(params, 0.0), likelihood.mode(params))
    draws = [likelihood.sample(params, 1.0, torch.Generator().manual_seed(1)) for _ in range(2)]
    torch.testing.assert_close(draws[0], draws[1])
    assert draws[0].shape == params.shape


def test_categorical_draws_follow_the_probabilities():
    probabilities = torch.tensor([0.1, 0.2, 0.7])
    params = probabilities.log().view(1, 3, 1).expand(1, 3, 20_000)
    drawn = Categorical().sample(params, 1.0, torch.Generator().manual_seed(0)).mean(-1)[0]
    torch.testing.assert_close(drawn, probabilities, atol=0.02, rtol=0)


def test_bernoulli_draws_follow_the_probabilities():
    params = torch.logit(torch.tensor(0.3)).expand(1, 1, 20_000)
    drawn = Bernoulli().sample(params, 1.0, torch.Generator().manual_seed(0))
    assert abs(drawn.mean().item() - 0.3) < 0.02
    assert set(drawn.unique().tolist()) == {0.0, 1.0}


def test_an_example_s_own_scale_is_the_likeliest():
    params, target = torch.randn(3, 2, 40), torch.randn(3, 2, 40)
    best = torch.stack([Gaussian(scale).nll(params, target) for scale in torch.linspace(0.5, 3, 500).tolist()])
    torch.testing.assert_close(Gaussian(0).nll(params, target), best.amin(0), atol=0.02, rtol=0)


def test_modes_of_pictures_are_grey_and_in_range():
    params = torch.tensor([[[-3.0, 0.5, 3.0]]])
    torch.testing.assert_close(Bernoulli(grey=True).mode(params), torch.sigmoid(params))
    assert Gaussian(clip=True).mode(params).tolist() == [[[0.0, 0.5, 1.0]]]


def test_the_spectral_loss_falls_with_the_noise_and_knows_no_level_of_the_target():
    rng = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(4, 1, 4000, generator=rng).cumsum(-1) * 0.01, torch.randn(4, 1, 4000, generator=rng)
    losses = torch.stack([Spectral().nll(clean + level * noise, clean) for level in (0.0, 0.01, 0.1, 1.0)])
    assert (losses.diff(dim=0) > 0).all()
    torch.testing.assert_close(Spectral().nll(0.1 * clean + 0.01 * noise, 0.1 * clean), losses[2], rtol=1e-3, atol=1)
    torch.testing.assert_close(Spectral(ratio=0.0).nll(clean, clean), torch.zeros(4), atol=1e-3, rtol=0)
    assert (Spectral(ratio=0.0).nll(0.5 * clean, clean) > 100).all()


def test_the_spectral_loss_of_silence_has_a_gradient_that_is_finite():
    made = torch.zeros(2, 1, 2000, requires_grad=True)
    Spectral().nll(made, torch.zeros(2, 1, 2000)).sum().backward()
    assert made.grad.isfinite().all()
    made = torch.zeros(2, 1, 2000, requires_grad=True)
    Spectral().nll(made, torch.randn(2, 1, 2000)).sum().backward()
    assert made.grad.isfinite().all()
    assert Spectral().mode(made) is made
    assert Spectral().sample(made, 1.0) is made


def test_the_log_spectral_loss_weighs_spectra_against_samples():
    rng = torch.Generator().manual_seed(0)
    clean, other = torch.randn(2, 1, 8000, generator=rng), torch.randn(2, 1, 8000, generator=rng)
    spectra = LogSpectral(ratio=0.0).nll(torch.stack([other[0], 0.1 * clean[1]]), clean) / 8000
    assert spectra[0] < 1.0  # Another noise has much the same spectrum ...
    assert spectra[1] == pytest.approx(2.0, abs=0.01)
    both = LogSpectral(ratio=1.0).nll(torch.stack([other[0], 0.1 * clean[1]]), clean) / 8000
    assert both[0] > both[1]  # ... and is far from it in its samples.
    made = torch.zeros(2, 1, 8000, requires_grad=True)
    LogSpectral().nll(made, clean).sum().backward()
    assert made.grad.isfinite().all()


def test_what_flutters_within_a_window_is_seen_by_a_shorter_one():
    clean, steady = 0.1 * torch.randn(2, 1, 1, 32_000, generator=torch.Generator().manual_seed(0))
    flutter = steady * (1 + torch.sin(2 * math.pi * 20 * torch.arange(32_000) / 16_000)) / math.sqrt(1.5)
    more = {}
    for sizes in ((2048,), (2048, 256)):
        alike, other = (LogSpectral(0.0, sizes).nll(made, clean).item() for made in (steady, flutter))
        more[len(sizes)] = other / alike
    assert more[1] < 1.05
    assert more[2] > 1.15
    for sizes in ((), 2048, (2,), ("long",)):
        with pytest.raises(MusicaeError, match="sizes must be"):
            LogSpectral(sizes=sizes)


def test_words_that_are_lost_cost_what_they_weigh():
    generator = torch.Generator().manual_seed(0)
    swell = torch.sin(torch.arange(16_000) / 800).square()
    clean = torch.randn(3, 1, 16_000, generator=generator) * swell
    made = clean + torch.tensor([0.0, 0.1, 1.0])[:, None, None] * torch.randn(3, 1, 16_000, generator=generator)
    lost = (Spectral(words=2.0).nll(made, clean) - Spectral().nll(made, clean)) / 16_000 / 2.0 + 1
    assert lost[0] < 1e-4
    assert lost[0] < lost[1] < lost[2] < 1
    made = torch.zeros(3, 1, 16_000, requires_grad=True)
    for target in (clean, torch.zeros(3, 1, 16_000)):
        Spectral(words=2.0).nll(made, target).sum().backward()
    assert made.grad.isfinite().all()
