"""What tests of networks share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from musicae.core import Model

Streamed = Callable[[Model, Tensor, Sequence[int]], Tensor]


@pytest.fixture(scope="session")
def in_blocks() -> Streamed:
    """Give a streaming model ``(B, C, T)`` in blocks of so many multiples, and put together what comes out."""

    def run(model: Model, x: Tensor, counts: Sequence[int]) -> Tensor:
        state, parts, at = model.initial_state(len(x)), [], 0
        for count in counts:
            block = x[..., at : at + count * model.multiple]
            part, state = model.stream(block, state)
            assert part.shape == block.shape
            assert all(isinstance(one, Tensor) for one in state)
            parts.append(part)
            at += count * model.multiple
        assert at == x.shape[-1]
        return torch.cat(parts, dim=-1)

    return run
