import torch

from musicae.tensors.likelihoods.gaussian import Gaussian


def test_nll_is_the_density():
    params, target = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    expected = -torch.distributions.Normal(params, 0.5).log_prob(target).flatten(1).sum(1)
    torch.testing.assert_close(Gaussian(0.5).nll(params, target), expected)


def test_an_example_s_own_scale_is_the_most_probable():
    params, target = torch.randn(3, 2, 40), torch.randn(3, 2, 40)
    best = torch.stack([Gaussian(scale).nll(params, target) for scale in torch.linspace(0.5, 3, 500).tolist()])
    torch.testing.assert_close(Gaussian(0).nll(params, target), best.amin(0), atol=0.02, rtol=0)


def test_modes_of_pictures_are_in_range():
    params = torch.tensor([[[-3.0, 0.5, 3.0]]])
    assert Gaussian(clip=True).mode(params).tolist() == [[[0.0, 0.5, 1.0]]]
    assert Gaussian().mode(params) is params


def test_draws_have_the_scale_times_the_temperature():
    drawn = Gaussian(2.0).sample(torch.ones(1, 1, 50_000), 0.5, torch.Generator().manual_seed(0))
    assert abs(drawn.mean().item() - 1) < 0.02
    assert abs(drawn.std().item() - 1) < 0.02


def test_distances_are_root_mean_squares():
    x, y = torch.zeros(2, 1, 4), torch.full((2, 1, 4), 3.0)
    assert Gaussian().distance(x, y).tolist() == [3, 3]
    assert Gaussian().likeness(x, y, 4 * y).tolist() == [0.75, 0.75]
    assert Gaussian().likeness(x, y, 0.5 * y).tolist() == [0, 0]  # Further than what has nothing to do with it.
    assert Gaussian().likeness(x, x, x).tolist() == [1, 1]
