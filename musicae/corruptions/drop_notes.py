"""Randomly silenced steps."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Share

__all__ = ["DropNotes"]


class DropNotes(Corruption):
    """Silence steps along the last axis: zero in every channel.

    Parameters
    ----------
    share : the probability that a step is silenced.
    """

    def __init__(self, share: Share = 0.25) -> None:
        if not 0 <= share <= 1:
            raise MusicaeError(f"[corruption] share must be 0 to 1, not {share}")
        self.share = share

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` without some of its steps."""
        kept = torch.rand(batch.shape[0], batch.shape[-1], generator=generator) >= self.share
        return batch * kept.to(batch).view(batch.shape[0], *(1,) * (batch.ndim - 2), batch.shape[-1])
