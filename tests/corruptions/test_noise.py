"""Gaussian noise."""

import pytest
import torch

from musicae.corruptions.noise import Noise
from musicae.errors import MusicaeError


def test_noise_has_its_mean_and_spread(rng):
    noisy = Noise(std=0.5, mean=0.25)(torch.zeros(1, 1, 100_000), rng())
    assert abs(noisy.mean().item() - 0.25) < 0.01
    assert abs(noisy.std().item() - 0.5) < 0.01
    clipped = Noise(std=2.0, low=0.0, high=1.0)(torch.zeros(1, 1, 1000), rng())
    assert clipped.min() == 0
    assert clipped.max() == 1

    with pytest.raises(MusicaeError, match="std must be 0 or more"):
        Noise(std=-1.0)
