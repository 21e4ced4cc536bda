"""Corruptions: functions of ``(batch, generator)`` that make a task's input from its clean target.

Each factory takes the settings of a preset's ``[corruption]`` and returns such a function.
The result depends on the batch and the generator alone, so training resumes to the bit.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .core import Corruption
from .errors import MusicaeError

__all__ = ["downsample", "drop_notes", "noise"]


def noise(std: float = 0.5, mean: float = 0.0, low: float | None = None, high: float | None = None) -> Corruption:
    """Add Gaussian noise of `std` and `mean`, then clip to `low` .. `high` where given."""

    def corrupt(batch: Tensor, generator: torch.Generator) -> Tensor:
        added = batch + mean + std * torch.randn(batch.shape, generator=generator).to(batch)
        return added if low is None and high is None else added.clamp(low, high)

    return corrupt


def downsample(factor: int = 2) -> Corruption:
    """Replace each block of `factor` along every spatial axis by its mean, at the same size."""
    if factor < 2:
        raise MusicaeError(f"[corruption] factor must be 2 or more, not {factor}")

    def corrupt(batch: Tensor, generator: torch.Generator) -> Tensor:
        shape = batch.shape[2:]
        if any(size % factor for size in shape):
            raise MusicaeError(f"[corruption] factor {factor} does not divide the shape {tuple(shape)}")
        pool = F.avg_pool1d if len(shape) == 1 else F.avg_pool2d
        return F.interpolate(pool(batch, factor), scale_factor=float(factor), mode="nearest")

    return corrupt


def drop_notes(share: float = 0.25) -> Corruption:
    """Silence each step along the last axis with probability `share`: zero in every channel."""

    def corrupt(batch: Tensor, generator: torch.Generator) -> Tensor:
        kept = torch.rand(batch.shape[0], batch.shape[-1], generator=generator) >= share
        return batch * kept.to(batch).view(batch.shape[0], *(1,) * (batch.ndim - 2), batch.shape[-1])

    return corrupt
