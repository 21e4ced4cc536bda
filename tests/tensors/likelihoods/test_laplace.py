import pytest
import torch

from musicae.errors import MusicaeError
from musicae.tensors.likelihoods.laplace import Laplace


def test_nll_is_the_density():
    params, target = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    expected = -torch.distributions.Laplace(params, 0.5).log_prob(target).flatten(1).sum(1)
    torch.testing.assert_close(Laplace(0.5).nll(params, target), expected)


def test_draws_follow_the_density():
    drawn = Laplace(0.5).sample(torch.ones(1, 1, 50_000), 2.0, torch.Generator().manual_seed(0))
    assert drawn.median().item() == pytest.approx(1, abs=0.02)
    assert (drawn - 1).abs().mean().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_the_scale_is_over_zero(scale):
    with pytest.raises(MusicaeError, match="scale must be over 0"):
        Laplace(scale)
