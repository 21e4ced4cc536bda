"""Sounds without what is above an edge."""

import pytest
import torch

from musicae.corruptions.low_pass import LowPass
from musicae.errors import MusicaeError


def test_low_pass_has_an_edge_in_hertz(rng):
    x = torch.randn(40, 2, 8000, generator=rng(3))
    made = torch.fft.rfft(LowPass(8000, 500.0, 2000.0)(x, rng())).abs()
    was = torch.fft.rfft(x).abs()
    edges = ((made > 0.5 * was).sum(-1)).float()  # The sound is a second long.
    assert 490 < edges.min() < 650
    assert 1500 < edges.max() < 2100
    assert torch.equal(edges[:, 0], edges[:, 1])
    with pytest.raises(MusicaeError, match="must be over 0"):
        LowPass(8000, 0.0, 100.0)
