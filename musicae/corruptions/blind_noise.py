"""Gaussian noise of a strength unknown to the network."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Weight

__all__ = ["BlindNoise"]


class BlindNoise(Corruption):
    """Add Gaussian noise whose standard deviation is drawn for each example.

    Channels that are equal (a grey picture in three colours) get the same noise, and stay equal.

    Parameters
    ----------
    min_sigma, max_sigma : range of the standard deviation, uniform, in 255ths.
    """

    def __init__(self, min_sigma: Weight = 0.0, max_sigma: Weight = 55.0) -> None:
        if not 0 <= min_sigma <= max_sigma:
            raise MusicaeError(
                f"[corruption] min_sigma must be 0 or more and max_sigma not below it, not {min_sigma} and {max_sigma}"
            )
        self.min_sigma, self.max_sigma = min_sigma, max_sigma

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with noise."""
        shape = (batch.shape[0], *(1,) * (batch.ndim - 1))
        sigma = self.min_sigma + (self.max_sigma - self.min_sigma) * torch.rand(shape, generator=generator)
        noise = torch.randn(batch.shape, generator=generator)
        equal = (batch == batch[:, :1]).flatten(1).all(1).view(shape).cpu()
        noise = torch.where(equal, noise[:, :1], noise)
        return batch + (sigma / 255 * noise).to(batch)
