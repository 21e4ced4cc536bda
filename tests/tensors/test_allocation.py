"""A limit on the tensors that are made while a network is built."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from musicae.errors import MusicaeError
from musicae.tensors.allocation import AllocationLimit, skip_initialisation

HUGE = 10**13


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.empty(HUGE),
        lambda: torch.empty((HUGE, 2)),
        lambda: torch.zeros(10**7, 10**7),
        lambda: torch.ones(size=(HUGE,)),
        lambda: torch.randn(HUGE, 3) * 0.02,
        lambda: torch.rand(HUGE),
        lambda: torch.full((HUGE,), 1.0),
        lambda: torch.eye(10**7),
        lambda: torch.eye(10**7, 10**7),
        lambda: torch.arange(HUGE),
        lambda: torch.arange(0, HUGE, 2),
        lambda: torch.linspace(0, 1, HUGE),
        lambda: torch.linspace(0, 1, steps=HUGE),
        lambda: torch.hann_window(HUGE),
        lambda: nn.Linear(10**7, 10**7),
        lambda: nn.GRU(10**6, 10**6),
        lambda: torch.arange(1000)[:, None] * torch.arange(2000),
    ],
)
def test_nothing_is_made_that_is_too_large(make: Callable[[], object]) -> None:
    with pytest.raises(MusicaeError, match="too large"), AllocationLimit(10**6, "too large"):
        make()


def test_many_small_layers_are_too_many() -> None:
    with pytest.raises(MusicaeError, match="too many"), AllocationLimit(10**5, "too many"):
        nn.Sequential(*(nn.Linear(10, 10) for _ in range(10**6)))


def test_what_fits_is_made_as_ever() -> None:
    torch.manual_seed(0)
    wanted = nn.Linear(30, 40)
    torch.manual_seed(0)
    with AllocationLimit(30 * 40 + 40, "too large"):
        made = nn.Linear(30, 40)
    assert torch.equal(made.weight, wanted.weight)
    with AllocationLimit(100, "too large"):
        assert torch.ones(3, 4) @ torch.ones(4, 5) @ torch.ones(5) is not None


def test_layers_are_built_without_drawing_their_weights() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with skip_initialisation():
        nn.Linear(3, 4)
    assert torch.equal(torch.get_rng_state(), before)
    nn.Linear(3, 4)
    assert not torch.equal(torch.get_rng_state(), before)
