"""Shared by the suites of sequences: windows some at a time, what components keep of them, walks between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from musicae import registry
from musicae.codec import Codec
from musicae.core import Latent, Likelihood, Spec, Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared.common import Figures, all_of, choose, pca
from musicae.ops.walk import WalkOptions, walk
from musicae.tensors import metrics
from musicae.tensors.random import generator

__all__ = ["Components", "cost", "density", "encoded", "in_parts", "interpolation", "one_hot", "per_window"]

_MAX_TRAIN, _MAX_TRAIN_VALUES = 20_000, 150_000_000  # Training windows that floors are computed from; their values.
_VALUES_AT_ONCE = 15_000_000  # Of windows in memory: those of a long band are large.
_EPS = 1e-4  # How near a probability may come to 0 or 1.


def in_parts(codec: Codec, count: int, copies: int = 1) -> Iterator[Tensor]:
    """Go through ``0 .. count - 1``, as many as have windows that fit well into memory, `copies` of each, at a time."""
    return iter(
        torch.split(torch.arange(count), max(1, _VALUES_AT_ONCE // (copies * math.prod(codec.spec.full_shape))))
    )


def per_window(codec: Codec, windows: Windows, measure: Callable[[Tensor], Tensor]) -> Tensor:
    """Return what `measure` makes of the windows ``(B, C, *S)``, some at a time, ``(N, ...)``."""
    return torch.cat([measure(windows.batch(index)) for index in in_parts(codec, len(windows))])


def encoded(codec: Codec, windows: Windows, *, conditions: bool = True) -> Latent:
    """Return the codes of all windows ``(N, D)``, with their conditions, unless `conditions` is false."""
    found = [
        codec.encode(windows.batch(index), codec.conditions(windows, index) if conditions else None, refine=True)
        for index in in_parts(codec, len(windows))
    ]
    logvar = [latent.logvar for latent in found if latent.logvar is not None]
    return Latent(torch.cat([latent.mean for latent in found]), torch.cat(logvar) if logvar else None)


def one_hot(spec: Spec) -> Tensor:
    """Return which channels are one-hot, ``(C,)`` bool; the others are independent."""
    masks = []
    for group in spec.groups:
        likelihood: Likelihood = registry.build("likelihoods", group.likelihood)
        exclusive = group.channels > 1 and likelihood.free_values(group.channels) == 1
        masks.append(torch.full((group.channels,), exclusive))
    return torch.cat(masks)


def density(codec: Codec, x: Tensor) -> Tensor:
    """Return the number of notes that begin in each window, ``(N,)``."""
    return codec.adapter.onsets(x).flatten(1).sum(1)


def cost(judge: Codec, x: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return the cost of each window to a language model in nats a step, ``(N,)``; longer ones are cut into its own."""
    size = judge.spec.shape[-1]
    if x.shape[-1] % size:
        raise MusicaeError(
            f"[evaluation] lm: windows of {x.shape[-1]} steps do not consist of windows of {size}, "
            f"those of '{judge.preset.name}'; name another language model"
        )
    pieces = x.reshape(*x.shape[:2], -1, size).movedim(2, 1).flatten(0, 1)
    costs = judge.nll(x.new_zeros(len(pieces), 0), pieces, cond)
    return costs.view(len(x), -1).sum(1) / x.shape[-1]


class Components:
    """As many principal components of training windows as a codec's code has numbers."""

    def __init__(self, codec: Codec, train: Windows) -> None:
        count = min(_MAX_TRAIN, max(1, _MAX_TRAIN_VALUES // math.prod(codec.spec.full_shape)))
        self.codec = codec
        self.centre, self.basis = pca(all_of(choose(train, count, 0)).flatten(1), codec.model.latent_size)

    def restore(self, x: Tensor) -> Tensor:
        """Return the most probable values for what the components keep of `x` ``(N, C, *S)``."""
        spec = self.codec.spec
        back = ((x.flatten(1) - self.centre) @ self.basis @ self.basis.T + self.centre).view_as(x)
        discrete = torch.cat([torch.full((group.channels,), _discrete(group.likelihood)) for group in spec.groups])
        binary = (discrete & ~one_hot(spec)).view(-1, *(1,) * len(spec.shape))
        # A value of 0 or 1 stands for a probability, and those are decided by their logits.
        return self.codec.likelihood.mode(torch.where(binary, torch.logit(back, eps=_EPS), back))


def _discrete(likelihood: str) -> bool:
    built: Likelihood = registry.build("likelihoods", likelihood)
    return built.discrete


def interpolation(
    figures: Figures,
    codec: Codec,
    windows: Windows,
    codes: Tensor,
    pairs: int,
    steps: int,
    seed: int,
    *,
    conditions: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Measure walks between `pairs` of windows, as `interpolate` takes them, and with even steps in the code.

    ``..._monotone`` is how often a step is no nearer to the start than the one before, ``..._max_jump`` how much of the
    way from end to end the longest step covers. A distance is the number of places that differ, summed over the groups
    of discrete values. Return what lies half-way, ``(pairs, C, *S)``, and the numbers of the windows at both ends.
    """
    order = torch.randperm(len(windows), generator=generator(seed, 2))
    ends = order[:pairs], order[pairs : 2 * pairs]
    measured: dict[str, list[Tensor]] = {}
    middles = []
    for index in in_parts(codec, pairs, 2 * steps):
        a, b = (end[index] for end in ends)
        ca, cb = (codec.conditions(windows, end) if conditions else None for end in (a, b))
        given = None if ca is None or cb is None else (ca, cb)
        even = walk(codec, codes[a], codes[b], WalkOptions(steps), given).values
        plain = walk(codec, codes[a], codes[b], WalkOptions(steps, even=False), given).values
        for name, walked in (("interpolation", even), ("floor_interpolation", plain)):
            far = torch.stack([_apart(codec.spec, step, walked[0]) for step in walked])
            jump = torch.stack([_apart(codec.spec, now, then) for now, then in pairwise(walked)])
            measured.setdefault(f"{name}_monotone", []).append((far.diff(dim=0) >= 0).float().mean(0))
            measured.setdefault(f"{name}_max_jump", []).append(jump.amax(0) / far[-1].clamp_min(1))
        middles.append(even[steps // 2].clone())
    figures |= {name: torch.cat(values).mean().item() for name, values in measured.items()}
    return torch.cat(middles), *ends


def _apart(spec: Spec, x: Tensor, y: Tensor) -> Tensor:
    """Return at how many places discrete values ``(N, C, *S)`` differ, summed over their groups, ``(N,)``."""
    channels = [spec.slices[group.name] for group in spec.groups if _discrete(group.likelihood)]
    return torch.stack([metrics.hamming(x[:, at], y[:, at]) for at in channels]).sum(0)
