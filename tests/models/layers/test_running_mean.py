"""Means over the frames so far."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.models.layers.running_mean import initial_state, running_mean


def slow(x, counted, memory):
    """The same, frame by frame, in double precision."""
    total, weight, means = torch.zeros(len(x), x.shape[2]).double(), torch.zeros(len(x), 1).double(), []
    for frame, mark in zip(x.double().unbind(1), counted.double().unbind(1), strict=True):
        total, weight = total * math.exp(-1 / memory) + mark * frame, weight * math.exp(-1 / memory) + mark
        means.append(total / weight.clamp_min(1e-8))
    return torch.stack(means, 1).float()


@pytest.mark.parametrize("memory", [1, 20, 100])
def test_it_is_the_weighted_mean(memory):
    rng = torch.Generator().manual_seed(0)
    x, counted = torch.randn(2, 300, 3, generator=rng), torch.rand(2, 300, 1, generator=rng) > 0.3
    means, _ = running_mean(x, counted, memory, initial_state(x, 2, 3))
    torch.testing.assert_close(means, slow(x, counted, memory), atol=1e-4, rtol=1e-4)


@given(sizes=st.lists(st.integers(1, 150), min_size=1, max_size=5), memory=st.integers(1, 200))
@settings(max_examples=20, deadline=None)
def test_blocks_of_any_sizes_give_what_one_gives(sizes, memory):
    x = torch.randn(1, sum(sizes), 2, generator=torch.Generator().manual_seed(0))
    counted = x[..., :1] > -0.5
    once, _ = running_mean(x, counted, memory, initial_state(x, 1, 2))
    state, parts = initial_state(x, 1, 2), []
    for part, mark in zip(x.split(sizes, 1), counted.split(sizes, 1), strict=True):
        mean, state = running_mean(part, mark, memory, state)
        parts.append(mean)
    torch.testing.assert_close(torch.cat(parts, 1), once, atol=1e-4, rtol=1e-4)


def test_before_the_first_frame_that_counts_it_is_zero():
    x = torch.full((1, 5, 1), 7.0)
    counted = torch.tensor([False, False, True, False, True]).view(1, 5, 1)
    means, _ = running_mean(x, counted, 10, initial_state(x, 1, 1))
    torch.testing.assert_close(means.flatten(), torch.tensor([0.0, 0, 7, 7, 7]))
