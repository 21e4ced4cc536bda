"""Lower resolution: every axis reduced and enlarged again."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Size

__all__ = ["Downsample"]


class Downsample(Corruption):
    """Reduce every spatial axis by `factor` and enlarge it again to the same size, which removes fine detail.

    Parameters
    ----------
    factor : how much each axis is reduced.
    method : ``"mean"`` averages blocks and repeats them; ``"bicubic"`` (two axes) reduces with an antialiased bicubic
        kernel and enlarges with one (Keys 1981, a = -1/2, like MATLAB's imresize).
    """

    def __init__(self, factor: Size = 2, method: str = "mean") -> None:
        if factor < 2:
            raise MusicaeError(f"[corruption] factor must be 2 or more, not {factor}")
        if method not in ("mean", "bicubic"):
            raise MusicaeError(f"[corruption] method must be 'mean' or 'bicubic', not '{method}'")
        self.factor, self.method = factor, method

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Reduce and enlarge ``(B, C, *S)``."""
        return self.enlarge(self.reduce(batch))

    def reduce(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S / factor)``. Raise MusicaeError if the factor does not divide the shape."""
        shape = batch.shape[2:]
        if any(size % self.factor for size in shape):
            raise MusicaeError(f"[corruption] factor {self.factor} does not divide the shape {tuple(shape)}")
        if self.method == "mean":
            pool = F.avg_pool1d if len(shape) == 1 else F.avg_pool2d
            return pool(batch, self.factor)
        return self._bicubic(batch, [size // self.factor for size in shape])

    def enlarge(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S * factor)``: the input of a model that undoes this."""
        if self.method == "mean":
            return F.interpolate(batch, scale_factor=float(self.factor), mode="nearest")
        return self._bicubic(batch, [size * self.factor for size in batch.shape[2:]])

    @staticmethod
    def _bicubic(batch: Tensor, size: list[int]) -> Tensor:
        if len(size) != 2:
            raise MusicaeError("[corruption] method 'bicubic' is for two spatial axes; use 'mean'")
        return F.interpolate(batch, size=size, mode="bicubic", antialias=True)
