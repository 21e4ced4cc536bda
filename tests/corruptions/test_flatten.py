"""Grooves without loudness and timing."""

import pytest
import torch
from groove_model import beat

from musicae.core import Spec
from musicae.corruptions.flatten import Flatten
from musicae.errors import MusicaeError
from musicae.tensors import groove
from musicae.tensors.groove import HITS


def test_only_the_hits_are_left(rng):
    x = torch.stack([beat((0, 0, 0.9, 0.1), (4, 1, 0.5, -0.2)), beat((2, 8, 0.3, 0.4))])
    y = Flatten()(x, rng())
    assert y[:, HITS].equal(x[:, HITS])
    assert y[:, HITS.stop :].count_nonzero() == 0
    assert Flatten()(y, rng()).equal(y)


def test_it_is_for_grooves():
    assert Flatten().bind(groove.spec(32))
    with pytest.raises(MusicaeError, match="for grooves"):
        Flatten().bind(Spec(9, (32,), "bernoulli"))
