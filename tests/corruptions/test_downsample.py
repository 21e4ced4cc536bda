"""Less detail."""

import pytest
import torch

from musicae.corruptions.downsample import Downsample
from musicae.errors import MusicaeError


def test_downsample_gives_block_means(rng):
    x = torch.arange(8.0).view(1, 1, 8)
    assert Downsample(2)(x, rng())[0, 0].tolist() == [0.5, 0.5, 2.5, 2.5, 4.5, 4.5, 6.5, 6.5]
    with pytest.raises(MusicaeError, match="does not divide"):
        Downsample(3)(x, rng())
    with pytest.raises(MusicaeError, match="2 or more"):
        Downsample(1)


def test_bicubic_keeps_a_slope_and_loses_detail(rng):
    slope = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    blur = Downsample(2, "bicubic")
    torch.testing.assert_close(blur(slope, rng())[..., 4:-4], slope[..., 4:-4], atol=2e-3, rtol=0)
    board = (torch.arange(32) % 2).float().expand(1, 1, 32, 32)
    assert (blur(board, rng())[..., 6:-6] - 0.5).abs().max() < 0.05
    assert blur.reduce(slope).shape == (1, 1, 16, 16)
    assert blur.enlarge(slope).shape == (1, 1, 64, 64)
    with pytest.raises(MusicaeError, match="method must be"):
        Downsample(2, "nearest")
    with pytest.raises(MusicaeError, match="two spatial axes"):
        Downsample(2, "bicubic")(torch.zeros(1, 1, 8), rng())
