"""What networks without a code have in common."""

import pytest
import torch
from torch.nn import functional as F

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.layers.restorer import Restorer, StreamingRestorer, check_sound


class Doubling(Restorer):
    """Twice what it is given."""

    def restore(self, x, cond=None):
        return 2 * x


class Late(StreamingRestorer):
    """What it is given, later."""

    multiple, delay = 4, 6

    def initial_state(self, batch=1):
        return (torch.zeros(batch, 1, self.delay),)

    def stream(self, x, state):
        assert x.shape[-1] % self.multiple == 0
        joined = torch.cat([state[0], x], dim=-1)
        return joined[..., : x.shape[-1]], (joined[..., x.shape[-1] :],)


def test_training_restores_what_is_given():
    x = torch.randn(2, 1, 8)
    params, latent = Doubling()(x, torch.zeros(2, 1, 8))
    assert torch.equal(params, 2 * x)
    assert latent.mean.shape == (2, 0)


@pytest.mark.parametrize("length", [4, 8, 40])
def test_a_delay_is_taken_off(length):
    x = torch.randn(3, 1, length)
    assert torch.equal(Late().restore(x), x)
    assert torch.equal(Late()(x, F.pad(x, (1, 0)))[0], x)


def test_only_sound_of_one_channel_and_a_hop_that_divides_it():
    check_sound("x", Spec(1, (64,), "gaussian"), 16)
    for spec in (Spec(2, (64,), "gaussian"), Spec(1, (8, 8), "gaussian")):
        with pytest.raises(MusicaeError, match="'x' takes one channel of samples"):
            check_sound("x", spec, 16)
    for hop in (0, 15):
        with pytest.raises(MusicaeError, match=f"divide the window of 64 samples, not {hop}"):
            check_sound("x", Spec(1, (64,), "gaussian"), hop)
