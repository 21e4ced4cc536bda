"""All corruptions keep their promises."""

import pytest
import torch

from musicae import registry
from musicae.core import Corruption
from musicae.errors import MusicaeError


@pytest.mark.parametrize("name", registry.names("corruptions"))
@pytest.mark.parametrize("shape", [(4, 2, 16), (4, 1, 8, 8)])
def test_every_corruption_keeps_the_shape_and_repeats_with_its_seed(rng, name, shape):
    settings = {"parts": [{"name": "clip"}, {"name": "noise", "share": 0.5}]} if name == "chain" else {}
    corrupt = registry.build("corruptions", name, **settings)
    assert isinstance(corrupt, Corruption)
    clean = torch.rand(shape)
    kept = clean.clone()
    first, second = corrupt(clean, rng()), corrupt(clean, rng())
    assert first.shape == clean.shape
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(clean, kept)
    assert not torch.equal(first, clean)


@pytest.mark.parametrize("name", registry.names("corruptions"))
def test_what_a_corruption_does_not_do_is_declared(name):
    settings = {"parts": [{"name": "clip"}]} if name == "chain" else {}
    corrupt = registry.build("corruptions", name, **settings)
    assert corrupt.factor == (2 if name in ("band-limit", "downsample") else 1)
    corrupt.feed(None, None)
    if name != "downsample":
        for call in (corrupt.reduce, corrupt.enlarge):
            with pytest.raises(MusicaeError, match="does not reduce pictures"):
                call(torch.zeros(1, 1, 8, 8))
