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

_UNBOUND = "the corruption 'hide-parts' must be bound to a tensor's groups before it is used"


class HideParts(Corruption):
    """Hide some groups of channels from the model, which is to fill them in.

    A hidden part is not the same as a silent one: 0/1 values are one half, one-hot ones are 0 in every class.

    Parameters
    ----------
    share : the probability that an example has hidden parts.
    parts : the names of the groups that may be hidden: any number of them, but never all; a group named
        ``"x_velocity"`` goes with ``"x"``.
    prior_share : the same probability where a prior is trained alone that is given what is not hidden.
    """

    def __init__(
        self,
        share: Share = 0.3,
        parts: Sequence[str] = ("melody", "bass", "harmony", "drums"),
        prior_share: Share = 0.7,
    ) -> None:
        if not 0 <= share <= 1:
            raise MusicaeError(f"[corruption] share must be 0 to 1, not {share}")
        if len(parts) < 2 or len(set(parts)) < len(parts):
            raise MusicaeError("[corruption] parts must name two different groups or more")
        self.share, self.parts, self.prior_share = share, tuple(parts), prior_share
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
        bound.hides = copy.copy(bound)
        bound.hides.share = bound.prior_share
        return bound

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with hidden parts."""
        if self._members is None:
            raise MusicaeError(_UNBOUND)
        count, parts = len(batch), len(self.parts)
        many = torch.rand(count, 1, generator=generator)  # So that a single one is left often enough.
        hidden = torch.rand(count, parts, generator=generator) < many
        kept = torch.randint(parts, (count, 1), generator=generator)  # One that is never hidden.
        hidden &= torch.arange(parts) != kept
        hidden &= torch.rand(count, 1, generator=generator) < self.share
        return self.hide(batch, hidden.float() @ self._members.float() > 0)

    def hide(self, batch: Tensor, channels: Tensor) -> Tensor:
        """Return the batch ``(B, C, *S)`` with `channels` hidden, bool ``(C,)``, or ``(B, C)`` for each example."""
        if self._unknown is None:
            raise MusicaeError(_UNBOUND)
        channels = channels.view(-1, batch.shape[1], *(1,) * (batch.ndim - 2))
        unknown = self._unknown.view(1, -1, *(1,) * (batch.ndim - 2))
        return torch.where(channels.to(batch.device), unknown.to(batch), batch)
