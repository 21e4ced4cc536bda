"""The prior of kernels around codes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from musicae.errors import MusicaeError
from musicae.models.kernels import KernelPrior
from musicae.tensors.random import generator


def clusters() -> Tensor:
    """Return correlated codes ``(400, 6)`` in two clusters, mixed."""
    noise = torch.randn(400, 6, generator=generator(0)) @ torch.randn(6, 6, generator=generator(1))
    return noise + 5 * (torch.arange(400) % 2)[:, None]


@pytest.mark.parametrize("bandwidth", [0.2, 0.6, 1.0])
def test_draws_have_the_mean_and_the_covariance_of_the_codes(bandwidth: float) -> None:
    codes = clusters()
    prior = KernelPrior(6, 400, bandwidth)
    prior.fit(codes, shrinkage=0.0)
    drawn = prior.from_noise(torch.randn(6000, 6, generator=generator(2)))
    scale = codes.std(0).mean()
    assert (drawn.mean(0) - codes.mean(0)).abs().max() < 0.1 * scale
    assert (torch.cov(drawn.T) - torch.cov(codes.T)).abs().max() < 0.15 * scale**2


def test_a_small_bandwidth_keeps_clusters_apart_and_a_large_one_does_not() -> None:
    codes = clusters() @ torch.eye(6)
    direction = torch.linalg.lstsq(torch.cov(codes.T), codes[1::2].mean(0) - codes[::2].mean(0)).solution
    at = (codes - codes.mean(0)) @ direction
    between = {}
    for bandwidth in (0.1, 1.0):
        prior = KernelPrior(6, 400, bandwidth)
        prior.fit(codes, shrinkage=0.0)
        drawn = (prior.from_noise(torch.randn(2000, 6, generator=generator(2))) - codes.mean(0)) @ direction
        between[bandwidth] = (drawn.abs() < 0.3 * at.abs().mean()).float().mean().item()
    assert between[0.1] < 0.5 * between[1.0]


def test_it_can_be_followed_both_ways() -> None:
    prior = KernelPrior(8, 400, 0.5, active_size=6)
    codes = torch.cat([clusters(), torch.ones(400, 2)], dim=1)
    prior.fit(codes, shrinkage=0.1)
    noise = torch.randn(500, 8, generator=generator(3))
    noise[:, 6:] = 0
    there = prior.from_noise(noise)
    assert (there[:, 6:] == 1).all()
    torch.testing.assert_close(prior.to_noise(there), noise, atol=0.02, rtol=0)
    assert 0.3 < prior.to_noise(codes)[:, :6].std() < 1.2


def test_codes_that_hardly_differ_can_be_fitted() -> None:
    prior = KernelPrior(4, 3, 0.5)
    prior.fit(torch.ones(3, 4), shrinkage=0.1)
    torch.testing.assert_close(prior.from_noise(torch.randn(5, 4)), torch.ones(5, 4), atol=0.02, rtol=0)
    prior.fit(torch.eye(4)[:3], shrinkage=0.1)
    assert prior.from_noise(torch.randn(5, 4)).isfinite().all()


def test_what_it_refuses() -> None:
    with pytest.raises(MusicaeError, match=r"active_size must be 0 to 4, the size of the code, not 5"):
        KernelPrior(4, active_size=5)
    with pytest.raises(MusicaeError, match="is not trained"):
        KernelPrior(4).loss(torch.zeros(2, 4), generator(0))
