"""Clipped sounds."""

import pytest
import torch

from musicae.corruptions.clip import Clip
from musicae.errors import MusicaeError


def test_clipping_cuts_peaks_and_leaves_the_rest(rng):
    x = torch.randn(20, 1, 2000, generator=rng(3))
    made = Clip(6.0, 20.0)(x, rng())
    level = made.flatten(1).amax(1)
    down = -20 * (level / x.flatten(1).abs().amax(1)).log10()
    assert down.min() > 5.99
    assert down.max() < 20.01
    assert down.std() > 1
    same = made == x
    assert ((made.abs() - level[:, None, None]).abs() < 1e-6)[~same].all()
    assert torch.equal(Clip(0.0, 0.0)(x, rng()), x)
    with pytest.raises(MusicaeError, match="max_db not below it"):
        Clip(3.0, 1.0)
