"""All corruptions keep their promises."""

from itertools import product

import pytest
import torch

from musicae import registry
from musicae.core import Corruption, Group, Spec
from musicae.errors import MusicaeError
from musicae.tensors import groove


def build(name, **settings):
    """Return a corruption, for tensors with one group a channel."""
    if name == "hide-parts":
        return registry.build("corruptions", name, share=1.0, parts=["a", "b"], **settings)
    return registry.build("corruptions", name, **settings)


def groups(shape):
    """Return the spec of batches of a shape: two groups, of which the second has all channels but one."""
    if shape[1] == 3 * groove.DRUMS:
        return groove.spec(shape[2])
    return Spec.joint(shape[2:], (Group("a", 1, "bernoulli"), Group("b", shape[1] - 1, "bernoulli")))


GROOVES = ("flatten", "tap")
EVERY = [name for name in registry.names("corruptions") if name not in GROOVES]


@pytest.mark.parametrize(
    ("shape", "name"),
    [*product([(4, 2, 16), (4, 3, 8, 8)], EVERY), *product([(4, 3 * groove.DRUMS, 16)], GROOVES)],
)
def test_every_corruption_keeps_the_shape_and_repeats_with_its_seed(rng, shape, name):
    settings = {"parts": [{"name": "clip"}, {"name": "noise", "share": 0.5}]} if name == "chain" else {}
    corrupt = build(name, **settings).bind(groups(shape))
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
    corrupt = build(name, **settings)
    assert corrupt.factor == (2 if name in ("band-limit", "downsample") else 1)
    corrupt.feed(None, None)
    if name != "downsample":
        for call in (corrupt.reduce, corrupt.enlarge):
            with pytest.raises(MusicaeError, match="does not reduce pictures"):
                call(torch.zeros(1, 1, 8, 8))
