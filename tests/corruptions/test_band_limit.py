"""Sounds without the upper part of their band."""

import pytest
import torch

from musicae.corruptions.band_limit import BandLimit
from musicae.errors import MusicaeError


def test_band_limit_keeps_what_is_below_its_edge_and_nothing_above(rng):
    x = torch.randn(8, 1, 4000, generator=rng(3))
    made = torch.fft.rfft(BandLimit(2, 0.7, 0.9, 1.0)(x, rng())).abs()
    was = torch.fft.rfft(x).abs()
    torch.testing.assert_close(made[..., :699], was[..., :699], atol=1e-2, rtol=0)
    assert made[..., 1001:].max() < 1e-2
    edges = (made > 0.5 * was).sum(-1).flatten()
    assert edges.float().std() > 20
    for settings, match in (({"factor": 1}, "2 or more"), ({"min_edge": 1.0, "max_edge": 0.9}, "in rising order")):
        with pytest.raises(MusicaeError, match=match):
            BandLimit(**settings)
