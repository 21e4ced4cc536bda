"""What the tests of corruptions share: generators, and windows of noise."""

from collections.abc import Callable

import pytest
import torch

from musicae.core import Windows

Rng = Callable[..., torch.Generator]
MakeWindows = Callable[..., Windows]


@pytest.fixture
def rng() -> Rng:
    """Return a function that gives a generator of a seed, 0 by default."""
    return lambda seed=0: torch.Generator().manual_seed(seed)


@pytest.fixture
def make_windows(rng: Rng) -> MakeWindows:
    """Return a function that gives `n` windows of noise of a length, of two pieces."""

    def make(n: int, length: int, seed: int = 1) -> Windows:
        data = (torch.randn(n, 1, length, generator=rng(seed)) * 3000).to(torch.int16)
        return Windows(data, torch.arange(n) * 2 // n, 1, levels=32_767)

    return make
