"""Parts of a band that are hidden from the model, which is to fill them in."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from musicae.core import Corruption, Spec
from musicae.errors import MusicaeError, did_you_mean
from musicae.ranges import Share

__all__ = ["HideParts"]

_UNKNOWN = {"bernoulli": 0.5}
"""What stands for an unknown value, by likelihood; 0 for the others, which in a one-hot value is no class at all."""


class HideParts(Corruption):
    """Hide some groups of channels from the model, which is to fill them in.

    A hidden part is not the same as a silent one: 0/1 values are one half, one-hot ones are 0 in every class.

    Parameters
    ----------
    share : the probability that an example has hidden parts.
    parts : the names of the groups that may be hidden, each with probability one half, but never all; a group named
        ``"x_velocity"`` goes with ``"x"``.
    """

    def __init__(self, share: Share = 0.3, parts: Sequence[str] = ("melody", "bass", "harmony", "drums")) -> None:
        if not 0 <= share <= 1:
            raise MusicaeError(f"[corruption] share must be 0 to 1, not {share}")
        if len(parts) < 2 or len(set(parts)) < len(parts):
            raise MusicaeError("[corruption] parts must name two different groups or more")
        self.share, self.parts = share, tuple(parts)
        self._members: torch.Tensor | None = None
        self._unknown: torch.Tensor | None = None

    def bind(self, spec: Spec) -> HideParts:
        """Return the corruption for tensors with the groups of `spec`. Raise MusicaeError where one is missing."""
        known = spec.parts
        for part in self.parts:
            if part not in known:
                raise MusicaeError(f"[corruption] the tensor has no part '{part}'{did_you_mean(part, known)}")
        bound = copy.copy(self)
        bound._members = torch.stack([known[part] for part in self.parts])
        bound._unknown = torch.zeros(spec.channels)
        for group in spec.groups:
            bound._unknown[spec.slices[group.name]] = _UNKNOWN.get(group.likelihood, 0.0)
        return bound

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with hidden parts."""
        if self._members is None or self._unknown is None:
            raise MusicaeError("the corruption 'hide-parts' must be bound to a tensor's groups before it is used")
        count, parts = len(batch), len(self.parts)
        hidden = torch.rand(count, parts, generator=generator) < 0.5
        kept = torch.randint(parts, (count, 1), generator=generator)  # One that is never hidden.
        hidden &= torch.arange(parts) != kept
        hidden &= torch.rand(count, 1, generator=generator) < self.share
        channels = (hidden.float() @ self._members.float() > 0).view(count, -1, *(1,) * (batch.ndim - 2))
        unknown = self._unknown.view(1, -1, *(1,) * (batch.ndim - 2))
        return torch.where(channels.to(batch.device), unknown.to(batch), batch)
