"""Corruptions of any tensor: noise, less detail, notes left out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core import Corruption
from ..errors import MusicaeError

__all__ = ["Downsample", "blind_noise", "drop_notes", "noise"]


def noise(std: float = 0.5, mean: float = 0.0, low: float | None = None, high: float | None = None) -> Corruption:
    """Add Gaussian noise of `std` and `mean`, then clip to `low` .. `high` where given."""

    def corrupt(batch: Tensor, generator: torch.Generator) -> Tensor:
        added = batch + mean + std * torch.randn(batch.shape, generator=generator).to(batch)
        return added if low is None and high is None else added.clamp(low, high)

    return corrupt


def blind_noise(low: float = 0.0, high: float = 55.0) -> Corruption:
    """Add Gaussian noise whose deviation is drawn for each example, evenly in `low` .. `high` 255ths.

    Channels that are all alike (a grey picture as three colours) stay so: they get the same noise.
    """
    if not 0 <= low <= high:
        raise MusicaeError(f"[corruption] low and high must rise from 0, not {low} and {high}")

    def corrupt(batch: Tensor, generator: torch.Generator) -> Tensor:
        one_each = (batch.shape[0], *(1,) * (batch.ndim - 1))
        drawn = low + (high - low) * torch.rand(one_each, generator=generator)
        noise = torch.randn(batch.shape, generator=generator)
        alike = (batch == batch[:, :1]).flatten(1).all(1).view(one_each).cpu()
        noise = torch.where(alike, noise[:, :1], noise)
        return batch + (drawn / 255 * noise).to(batch)

    return corrupt


class Downsample:
    """Reduce every spatial axis by `factor` and bring it back to the same size, which leaves the fine detail out.

    `method` ``"mean"`` averages blocks and repeats them; ``"bicubic"`` (two axes) reduces with an antialiased
    bicubic kernel and enlarges with one (Keys 1981, a = -1/2, as MATLAB's imresize does).
    """

    def __init__(self, factor: int = 2, method: str = "mean") -> None:
        if factor < 2:
            raise MusicaeError(f"[corruption] factor must be 2 or more, not {factor}")
        if method not in ("mean", "bicubic"):
            raise MusicaeError(f"[corruption] method must be 'mean' or 'bicubic', not '{method}'")
        self.factor, self.method = factor, method

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Reduce and enlarge ``(B, C, *S)``."""
        return self.enlarge(self.reduce(batch))

    def reduce(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S / factor)``. Raise MusicaeError where the factor does not divide the shape."""
        shape = batch.shape[2:]
        if any(size % self.factor for size in shape):
            raise MusicaeError(f"[corruption] factor {self.factor} does not divide the shape {tuple(shape)}")
        if self.method == "mean":
            pool = F.avg_pool1d if len(shape) == 1 else F.avg_pool2d
            return pool(batch, self.factor)
        return self._bicubic(batch, [size // self.factor for size in shape])

    def enlarge(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S * factor)``: what a model that undoes this is given."""
        if self.method == "mean":
            return F.interpolate(batch, scale_factor=float(self.factor), mode="nearest")
        return self._bicubic(batch, [size * self.factor for size in batch.shape[2:]])

    @staticmethod
    def _bicubic(batch: Tensor, size: list[int]) -> Tensor:
        if len(size) != 2:
            raise MusicaeError("[corruption] method 'bicubic' is for two spatial axes; use 'mean'")
        return F.interpolate(batch, size=size, mode="bicubic", antialias=True)


def drop_notes(share: float = 0.25) -> Corruption:
    """Silence each step along the last axis with probability `share`: zero in every channel."""

    def corrupt(batch: Tensor, generator: torch.Generator) -> Tensor:
        kept = torch.rand(batch.shape[0], batch.shape[-1], generator=generator) >= share
        return batch * kept.to(batch).view(batch.shape[0], *(1,) * (batch.ndim - 2), batch.shape[-1])

    return corrupt
