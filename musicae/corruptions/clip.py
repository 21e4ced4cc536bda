"""Clipped sounds."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Decibels

__all__ = ["Clip"]


class Clip(Corruption):
    """Clip each example, like a recording at too high a level.

    Parameters
    ----------
    min_db, max_db : range of the clipping level, in dB below the largest sample.
    """

    def __init__(self, min_db: Decibels = 3.0, max_db: Decibels = 20.0) -> None:
        if not 0 <= min_db <= max_db:
            raise MusicaeError(
                f"[corruption] min_db must be 0 or more and max_db not below it, not {min_db} and {max_db}"
            )
        self.min_db, self.max_db = min_db, max_db

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)``, clipped."""
        flat = batch.flatten(1)
        down = self.min_db + (self.max_db - self.min_db) * torch.rand(len(batch), 1, generator=generator)
        level = flat.abs().amax(1, keepdim=True) * 10 ** (-down / 20)
        return flat.clamp(-level, level).view(batch.shape)
