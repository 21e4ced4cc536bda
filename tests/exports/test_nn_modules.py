"""Blocks for a network, collected from buffers and given out to buffers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from musicae.exports.nn_modules import Blocks, Both


class Sums(nn.Module):
    """Adds up all samples so far: three in, one out."""

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        total = state + x.sum(2)
        return total[:, None], total


def test_blocks_keep_a_state_and_come_out_one_block_late() -> None:
    blocks = Blocks(Sums(), 3, 1, 1, 1)
    x = torch.arange(12.0)[None, None]
    assert torch.cat([blocks(part) for part in x.split(3, 2)], 2).flatten().tolist() == [0, 3, 15, 36]
    assert blocks(x.repeat(2, 1, 1)).shape == (2, 1, 4)  # Others than before: from the start.
    assert blocks(torch.zeros(2, 1, 3))[:, 0, 0].tolist() == [66, 66]


def test_two_networks_in_a_row() -> None:
    both = Both(Sums(), Sums())
    out, state = both(torch.ones(1, 1, 3), torch.zeros(1, 1))
    assert (out.item(), state.item()) == (6.0, 6.0)
