"""Running means over frames that forget old ones, block by block."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["initial_state", "running_mean"]

_CHUNK = 128  # Frames at once: the matrix of weights grows with the square.
_MIN_WEIGHT = 1e-8  # Keeps the mean finite before any frame counts.


def initial_state(like: Tensor, batch: int, features: int) -> tuple[Tensor, Tensor]:
    """Return the state before the first block: the weighted sum ``(B, F)`` and the sum of weights ``(B, 1)``."""
    return like.new_zeros(batch, features), like.new_zeros(batch, 1)


def running_mean(x: Tensor, counted: Tensor, memory: int, state: tuple[Tensor, Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Return the mean of ``(B, T, F)`` over the frames so far, ``(B, T, F)``, and the new state.

    Frames count less the older they are, by a factor of e in `memory` frames, and only where `counted` ``(B, T, 1)``;
    before the first of them the mean is 0.
    """
    marks = counted.to(x)
    total, weight = state
    if x.shape[1] == 1:  # As in a stream: no matrix is needed.
        decay = math.exp(-1 / memory)
        total, weight = torch.add((marks * x)[:, 0], total, alpha=decay), torch.add(marks[:, 0], weight, alpha=decay)
        return (total / weight.clamp_min(_MIN_WEIGHT))[:, None], [total, weight]
    means = []
    for part, mark in zip(torch.split(marks * x, _CHUNK, dim=1), torch.split(marks, _CHUNK, dim=1), strict=True):
        ages = torch.arange(part.shape[1] + 1, device=x.device)
        decays = torch.exp(-ages / memory)
        # How much each earlier frame still counts, for each frame.
        lags = ages[:-1, None] - ages[:-1]
        counts = torch.where(lags >= 0, decays[lags.clamp_min(0)], 0.0)
        totals = counts @ part + total[:, None] * decays[1:, None]
        weights = counts @ mark + weight[:, None] * decays[1:, None]
        means.append(totals / weights.clamp_min(_MIN_WEIGHT))
        total, weight = totals[:, -1], weights[:, -1]
    return torch.cat(means, dim=1), [total, weight]
