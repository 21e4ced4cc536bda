"""Sounds in a room."""

import pytest
import torch

from musicae.corruptions.reverberate import Reverberate
from musicae.errors import MusicaeError


def test_a_room_adds_echoes_that_fall_off(rng):
    click = torch.zeros(30, 2, 8000)
    click[..., 100] = 1.0
    echoes = Reverberate(8000, 0.3, 0.6, max_drr_db=10.0, min_drr_db=0.0)(click, rng()) - click
    assert echoes[..., :116].abs().max() < 1e-5  # Nothing comes back at once.
    ratio = -10 * echoes[:, 0].square().sum(1).log10()
    assert ratio.min() > -0.1
    assert ratio.max() < 10.1
    early, late = (echoes[:, 0, at : at + 400].square().mean(1) for at in (300, 1500))
    fall = 10 * (early / late).log10() / (1200 / 8000)  # In dB a second.
    assert fall.min() > 60 / 0.65
    assert fall.max() < 60 / 0.27
    assert torch.equal(echoes[:, 0], echoes[:, 1])
    assert torch.equal(echoes + click, Reverberate(8000, 0.3, 0.6, max_drr_db=10.0, min_drr_db=0.0)(click, rng()))
    with pytest.raises(MusicaeError, match="max_drr_db not below min_drr_db"):
        Reverberate(8000, max_drr_db=0.0, min_drr_db=3.0)
