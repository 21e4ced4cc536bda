"""Grooves as someone taps them on a table."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption, Spec
from musicae.errors import MusicaeError
from musicae.ranges import Share, Weight
from musicae.tensors import groove
from musicae.tensors.groove import VELOCITIES

__all__ = ["Tap"]


class Tap(Corruption):
    """Put all hits of grooves ``(B, 27, T)`` on one instrument: on each step a tap, as loud and as late as the loudest.

    Which drums are struck is not known then; see `musicae.tensors.groove` for what stands for that.

    Parameters
    ----------
    sparse : the share of the examples in which soft hits are not tapped: those under a loudness drawn for each example.
    loudness : the standard deviation of what is added to the loudness of each tap, which is only roughly that of a hit.
    """

    def __init__(self, sparse: Share = 0.0, loudness: Weight = 0.0) -> None:
        if not 0 <= sparse <= 1:
            raise MusicaeError(f"[corruption] sparse must be 0 to 1, not {sparse}")
        self.sparse, self.loudness = sparse, loudness

    def bind(self, spec: Spec) -> Tap:
        """Return itself. Raise MusicaeError for other tensors than grooves."""
        groove.check(spec)
        return self

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the taps ``(B, 27, T)``."""
        count = len(batch)
        least = torch.rand(count, generator=generator) * (torch.rand(count, generator=generator) < self.sparse)
        noise = self.loudness * torch.randn(count, 1, batch.shape[2], generator=generator)
        made = groove.tapped(batch, least)
        loud = made[:, VELOCITIES]  # What is not known, 0, stays so.
        made[:, VELOCITIES] = torch.where(loud > 0, (loud + noise.to(loud)).clamp(1 / 127, 1), loud)
        return made
