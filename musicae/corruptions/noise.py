"""Gaussian noise."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Level, Weight

__all__ = ["Noise"]


class Noise(Corruption):
    """Add Gaussian noise of fixed strength.

    Parameters
    ----------
    std, mean : of the noise.
    low, high : the result is clamped to these, if given.
    """

    def __init__(
        self, std: Weight = 0.5, mean: Level = 0.0, low: Level | None = None, high: Level | None = None
    ) -> None:
        if std < 0:
            raise MusicaeError(f"[corruption] std must be 0 or more, not {std}")
        self.std, self.mean, self.low, self.high = std, mean, low, high

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with noise."""
        noisy = batch + self.mean + self.std * torch.randn(batch.shape, generator=generator).to(batch)
        return noisy if self.low is None and self.high is None else noisy.clamp(self.low, self.high)
