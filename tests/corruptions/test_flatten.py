"""Grooves without loudness and timing."""

import torch
from groove_model import beat

from musicae.corruptions.flatten import Flatten
from musicae.tensors.groove import HITS


def test_only_the_hits_are_left(rng):
    x = torch.stack([beat((0, 0, 0.9, 0.1), (4, 1, 0.5, -0.2)), beat((2, 8, 0.3, 0.4))])
    y = Flatten()(x, rng())
    assert y[:, HITS].equal(x[:, HITS])
    assert y[:, HITS.stop :].count_nonzero() == 0
    assert Flatten()(y, rng()).equal(y)
