"""Noise of any strength."""

import pytest
import torch

from musicae.corruptions.blind_noise import BlindNoise
from musicae.errors import MusicaeError


def test_blind_noise_differs_from_example_to_example(rng):
    spread = (BlindNoise(10, 50)(torch.zeros(200, 1, 32, 32), rng()) * 255).flatten(1).std(1)
    assert 9 < spread.min() < 15
    assert 45 < spread.max() < 52
    colours = torch.rand(2, 3, 8, 8)
    colours[1] = colours[1, 0]
    noisy = BlindNoise(20, 20)(colours, rng())
    assert torch.equal(noisy[1, 0], noisy[1, 2])
    assert not torch.equal((noisy - colours)[0, 0], (noisy - colours)[0, 2])
    with pytest.raises(MusicaeError, match="max_sigma not below it"):
        BlindNoise(5, 1)
