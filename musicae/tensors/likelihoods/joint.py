"""Several groups of channels, each with its own likelihood."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from musicae import registry
from musicae.core import Group, Likelihood, Spec
from musicae.errors import MusicaeError, did_you_mean

__all__ = ["Joint"]


@dataclass(frozen=True)
class _Part:
    """A group: its channels in the tensor and in its `compact` form, and how it counts."""

    name: str
    channels: slice
    compact: slice
    likelihood: Likelihood
    weight: float
    where: slice | None
    """The channels that say where it counts; None if it counts everywhere."""


class Joint(Likelihood):
    """Several groups of channels (`Spec.groups`), each with its own likelihood; they are independent.

    `groups` holds settings by group name, as in a preset's ``[likelihood.groups.velocity]``. They are those of the
    group's likelihood, and:

    - ``weight``: the factor of its negative log-likelihood (default 1).
    - ``where``: the name of another group. This one counts only at places where that one has a value over 0, and is
      blank elsewhere: a velocity, only where there is a note. If both have as many channels, each channel counts where
      its partner is over 0: a velocity for each drum. Its likelihood must be a sum over places (Gaussian with a
      `scale`, Laplace, Bernoulli, categorical).
    - ``first``: the first channel of ``where`` that counts (2, where 0 is a rest and 1 a hold; default 0).

    Call `bind` with a tensor's groups first; anything else raises MusicaeError until then.
    """

    def __init__(self, groups: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.groups = dict(groups or {})
        for name, settings in self.groups.items():
            if not isinstance(settings, Mapping):
                raise MusicaeError(f"[likelihood] groups must hold a table for each name, not {name} = {settings!r}")
        self._parts: tuple[_Part, ...] = ()

    def bind(self, spec: Spec) -> Joint:
        """Return the likelihood for tensors with the groups of `spec`.

        Raise MusicaeError for a tensor without groups, and for settings that do not fit them.
        """
        names = [group.name for group in spec.groups]
        if not all(names):
            raise MusicaeError("[likelihood] 'joint' needs a tensor with named groups; this adapter's has none")
        for name in self.groups:
            if name not in names:
                raise MusicaeError(f"[likelihood] the tensor has no group '{name}'{did_you_mean(name, names)}")
        parts: list[_Part] = []
        for group in spec.groups:
            start = parts[-1].compact.stop if parts else 0
            parts.append(self._part(spec, group, start))
        bound = copy.copy(self)
        bound._parts, bound.discrete = tuple(parts), all(part.likelihood.discrete for part in parts)
        return bound

    def _part(self, spec: Spec, group: Group, start: int) -> _Part:
        settings = dict(self.groups.get(group.name, {}))
        weight, where, first = settings.pop("weight", 1.0), settings.pop("where", ""), settings.pop("first", 0)
        label = f"[likelihood] in the group '{group.name}'"
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
            raise MusicaeError(f"{label} weight must be a number of 0 or more, not {weight!r}")
        if where and (where == group.name or where not in spec.slices or "where" in self.groups.get(where, {})):
            raise MusicaeError(f"{label} where must name another group, one that counts everywhere, not '{where}'")
        size = spec.slices[where].stop - spec.slices[where].start if where else 1
        if type(first) is not int or not 0 <= first < size:
            raise MusicaeError(f"{label} first must be a channel of the group in where, 0 to {size - 1}, not {first!r}")
        unbound: Likelihood = registry.build("likelihoods", group.likelihood, **settings)
        likelihood = unbound.bind(Spec(group.channels, spec.shape, group.likelihood))
        compact = likelihood.compact(likelihood.blank(group.channels)[None, :, None]).shape[1]
        counted = slice(spec.slices[where].start + first, spec.slices[where].stop) if where else None
        channels = spec.slices[group.name]
        return _Part(group.name, channels, slice(start, start + compact), likelihood, float(weight), counted)

    @property
    def parts(self) -> tuple[_Part, ...]:
        """The groups, in their order along the channel axis."""
        if not self._parts:
            raise MusicaeError("the likelihood 'joint' must be bound to a tensor's groups before it is used")
        return self._parts

    @property
    def _counted(self) -> Sequence[_Part]:
        """The discrete groups, whose values are right or wrong; all where none is."""
        return [part for part in self.parts if part.likelihood.discrete] or self.parts

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the weighted sum over the groups, ``(B,)``."""
        return torch.stack(list(self.nll_parts(params, target).values())).sum(0)

    def nll_parts(self, params: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Return what each group adds to `nll`, by its name: ``(B,)`` each."""
        costs = {}
        sizes = [_size(part.channels) for part in self.parts]  # `split` has one gradient, slices one each.
        for part, mine, true in zip(
            self.parts, params.split_with_sizes(sizes, 1), target.split_with_sizes(sizes, 1), strict=True
        ):
            if part.where is None:
                nll = part.likelihood.nll(mine, true)
            else:
                counted = _counted(target[:, part.where], mine.shape[1])
                if counted.shape[1] == 1:  # A place counts with all its channels.
                    mine, true = _by_place(mine), _by_place(true)
                else:  # Each channel counts by itself.
                    mine, true = mine.reshape(-1, 1, 1), true.reshape(-1, 1, 1)
                by_place = part.likelihood.nll(mine, true).view(len(target), -1)
                nll = torch.where(counted.flatten(1), by_place, 0.0).sum(1)
            costs[part.name] = part.weight * nll
        return costs

    def mode(self, params: Tensor) -> Tensor:
        """Return each group's most probable values, blank where the group does not count."""
        return self._join([part.likelihood.mode(params[:, part.channels]) for part in self.parts])

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw each group's values, blank where the group does not count."""
        return self._join(
            [part.likelihood.sample(params[:, part.channels], temperature, generator) for part in self.parts]
        )

    def _join(self, values: list[Tensor]) -> Tensor:
        """Join the values of the groups, blank where a group does not count."""
        joined = torch.cat(values, dim=1)
        for part in self.parts:
            if part.where is not None:
                mine = joined[:, part.channels]
                blank = part.likelihood.blank(mine.shape[1]).to(mine).view(-1, *(1,) * (mine.ndim - 2))
                joined[:, part.channels] = torch.where(_counted(joined[:, part.where], mine.shape[1]), mine, blank)
        return joined

    def blank(self, channels: int) -> Tensor:
        """Return each group's blank step, one after another ``(C,)``."""
        return torch.cat([part.likelihood.blank(_size(part.channels)) for part in self.parts])

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean of the discrete groups' distances, ``(N,)``, of values or of their `compact` form.

        It is that of all groups where none is discrete.
        """
        compact = x.shape[1] == self.parts[-1].compact.stop
        counted = [(part.compact if compact else part.channels, part.likelihood) for part in self._counted]
        return torch.stack([likelihood.distance(x[:, at], y[:, at]) for at, likelihood in counted]).mean(0)

    def accuracy(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean over the discrete groups, ``(N,)``; over all where none is."""
        each = [part.likelihood.accuracy(x[:, part.channels], y[:, part.channels]) for part in self._counted]
        return torch.stack(each).mean(0)

    def likeness(self, x: Tensor, y: Tensor, other: Tensor) -> Tensor:
        """Return the mean of the groups' likenesses, ``(N,)``."""
        each = [part.likelihood.likeness(*(one[:, part.channels] for one in (x, y, other))) for part in self.parts]
        return torch.stack(each).mean(0)

    def compact(self, x: Tensor) -> Tensor:
        """Return each group's compact values, one group after another."""
        return torch.cat([part.likelihood.compact(x[:, part.channels]).to(x) for part in self.parts], dim=1)

    def free_values(self, channels: int) -> int:
        """Return how many values at one place are free in all groups together."""
        return sum(part.likelihood.free_values(_size(part.channels)) for part in self.parts)

    def averaged(self, channels: int) -> Tensor:
        """Return which channels are averaged, for all groups, ``(C,)``."""
        return torch.cat([part.likelihood.averaged(_size(part.channels)) for part in self.parts])

    def flaw(self, x: Tensor, axis: int) -> str:
        """Return what is wrong with the values of the first group with a flaw."""
        for part in self.parts:
            mine = x.narrow(axis, part.channels.start, _size(part.channels))
            if flaw := part.likelihood.flaw(mine, axis):
                return f"{flaw} (in the group '{part.name}')"
        return ""


def _size(channels: slice) -> int:
    return int(channels.stop - channels.start)


def _counted(values: Tensor, channels: int) -> Tensor:
    """Return where ``(B, C, *S)`` is over 0: channel by channel if a group of `channels` has as many, else in any.

    The first is ``(B, C, *S)``, the second ``(B, 1, *S)``.
    """
    return values > 0 if values.shape[1] == channels > 1 else (values > 0).any(1, keepdim=True)


def _by_place(x: Tensor) -> Tensor:
    """Return each place of ``(B, C, *S)`` as an example of its own, ``(B * places, C, 1)``."""
    return x.movedim(1, -1).reshape(-1, x.shape[1], 1)
