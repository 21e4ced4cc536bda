"""The blocks of `DualPath`, and what stands for them where nothing is trained."""

import pytest
import torch

from musicae.models.layers.path_block import FastBlock, PathBlock


def block():
    torch.manual_seed(0)
    made = PathBlock(bands=5, width=8)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made


@pytest.mark.parametrize("frames", [1, 7])
@pytest.mark.parametrize("batch", [1, 2])
def test_the_fast_one_is_what_the_block_gives(batch, frames):
    made = block()
    x, state = torch.randn(batch, frames, 5, 8), [torch.randn(1, 5 * batch, 8), 10 * torch.randn(1, 5 * batch, 8)]
    given = [one.clone() for one in (x, *state)]
    with torch.no_grad():
        plain, fast = made(x, *state), FastBlock(made)(x, *state)
    for one, other in zip(plain, fast, strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, atol=2e-6, rtol=2e-6)
    # A caller may keep an earlier state.
    assert all(torch.equal(one, other) for one, other in zip(given, (x, *state), strict=True))


def test_frames_of_several_streams_stand_alone():
    made = block()
    x, hidden, cell = torch.randn(2, 4, 5, 8), torch.randn(1, 10, 8), torch.randn(1, 10, 8)
    with torch.no_grad():
        both, one = made(x, hidden, cell)[0], made(x[1:], hidden[:, 5:], cell[:, 5:])[0]
    torch.testing.assert_close(both[1:], one, atol=1e-6, rtol=0)
