"""Sounds without the upper part of their band."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Size, Weight
from musicae.tensors.dsp import low_pass

__all__ = ["BandLimit"]


class BandLimit(Corruption):
    """Remove the band above the share 1 / `factor` of it, with a different filter for each example.

    Real resamplers fall off somewhere below that, steeply or not: a network trained with one filter fails on others.

    Parameters
    ----------
    factor : a model that undoes this raises the sample rate by this factor.
    min_edge, max_edge : the gain is 1 up to a random edge between these (1 is 1 / `factor` of the band),
    max_stop : and 0 above a random point between that edge and this one.
    """

    def __init__(
        self, factor: Size = 2, min_edge: Weight = 0.8, max_edge: Weight = 0.98, max_stop: Weight = 1.02
    ) -> None:
        if factor < 2:
            raise MusicaeError(f"[corruption] factor must be 2 or more, not {factor}")
        if not 0 < min_edge <= max_edge <= max_stop:
            raise MusicaeError(
                "[corruption] min_edge, max_edge and max_stop must be over 0 and in rising order, "
                f"not {min_edge}, {max_edge} and {max_stop}"
            )
        self.factor, self.min_edge, self.max_edge, self.max_stop = factor, min_edge, max_edge, max_stop

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` band-limited along ``*S``, taken as one axis."""
        start = self.min_edge + (self.max_edge - self.min_edge) * torch.rand(len(batch), 1, 1, generator=generator)
        end = start + (self.max_stop - start) * torch.rand(len(batch), 1, 1, generator=generator)
        return low_pass(batch.flatten(2), start / self.factor, end / self.factor).view(batch.shape)
