"""Grooves without loudness and timing."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption, Spec
from musicae.tensors import groove

__all__ = ["Flatten"]


class Flatten(Corruption):
    """Leave only the hits of grooves ``(B, 27, T)``, as a sequencer plays them: neither loudness nor timing is known.

    See `musicae.tensors.groove` for what stands for that.
    """

    def bind(self, spec: Spec) -> Flatten:
        """Return itself. Raise MusicaeError for other tensors than grooves."""
        groove.check(spec)
        return self

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the grooves ``(B, 27, T)``, flattened."""
        return groove.flattened(batch)
