"""Cut a long tensor into windows along its last axis, or a large one into tiles, and join them again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from musicae.core import Sample
from musicae.errors import MusicaeError

__all__ = ["Rows", "count", "join", "join_channels", "join_cond", "split", "split_cond", "tiles"]


def count(length: int, size: int, hop: int) -> int:
    """Return how many windows of `size`, one every `hop` steps, cover `length`; at least one."""
    return max(1, math.ceil((length - size) / hop) + 1) if hop < size else max(1, math.ceil(length / hop))


def split(x: Tensor, size: int, hop: int | None = None, pad: Tensor | float = 0.0) -> Tensor:
    """Cut ``(C, *S, L)`` into ``(N, C, *S, size)``, a window every `hop` steps (default: `size`).

    The end is filled with `pad`: a number, or one step's values ``(C, *S, 1)``.
    """
    hop = size if hop is None else hop
    if not 0 < hop <= size:
        raise MusicaeError(f"a hop of {hop} does not fit windows of {size}; it must be between 1 and {size}")
    length = x.shape[-1]
    n = count(length, size, hop)
    missing = (n - 1) * hop + size - length
    if missing > 0:
        shape = (*x.shape[:-1], missing)
        padding = pad.to(x).expand(shape) if isinstance(pad, Tensor) else x.new_full(shape, pad)
        x = torch.cat([x, padding], dim=-1)
    return x.unfold(-1, size, hop).movedim(-2, 0).contiguous()


def join_channels(parts: Tensor, hop: int | None, length: int | None, averaged: Tensor) -> Tensor:
    """Undo `split`; the channels that `averaged` ``(C,)`` says are averaged where windows overlap, the others cut."""
    if averaged.all() or not averaged.any():
        return join(parts, hop, length, fade=bool(averaged.all()))
    faded, cut = (join(parts, hop, length, fade=fade) for fade in (True, False))
    return torch.where(averaged.view(-1, *(1,) * (faded.ndim - 1)), faded, cut)


def join(windows: Tensor, hop: int | None = None, length: int | None = None, fade: bool = False) -> Tensor:
    """Join ``(N, C, *S, size)`` into ``(C, *S, L)``, the inverse of `split`.

    Where windows overlap, `fade` mixes them with triangular weights that sum to one (overlap-add);
    otherwise each window gives the steps up to the start of the next, for values that
    cannot be mixed (one-hot ones). `length` cuts off the padding.
    """
    n, size = windows.shape[0], windows.shape[-1]
    hop = size if hop is None else hop
    total = (n - 1) * hop + size
    if fade and hop < size:
        ramp = torch.minimum(torch.arange(1, size + 1), torch.arange(size, 0, -1)).to(windows)
        out = windows.new_zeros(*windows.shape[1:-1], total)
        weight = windows.new_zeros(total)
        for i in range(n):
            out[..., i * hop : i * hop + size] += windows[i] * ramp
            weight[i * hop : i * hop + size] += ramp
        out = out / weight
    else:
        out = torch.cat([*(w[..., :hop] for w in windows[:-1]), windows[-1]], dim=-1)
    return out if length is None else out[..., :length]


def split_cond(sample: Sample, size: int) -> Tensor | None:
    """Return a sample's condition for each of its windows of `size`: ``(N, K)``, or ``(N, K, T)`` cut as they are.

    Raise MusicaeError for one along the last axis that is not as long as the sample.
    """
    if sample.cond is None:
        return None
    length = sample.tensor.shape[-1]
    if sample.cond.ndim == 1:
        return sample.cond.expand(count(length, size, sample.hop or size), -1)
    if sample.cond.shape[1] != length:
        raise MusicaeError(
            f"the sample's `cond` has {sample.cond.shape[1]} steps, its tensor {length}; give it a column for each step"
        )
    return split(sample.cond, size, sample.hop)


def join_cond(cond: Tensor | None, hop: int | None, length: int | None) -> Tensor | None:
    """Undo `split_cond`."""
    if cond is None or cond.ndim == 3:
        return cond if cond is None else join(cond, hop, length)
    return cond.mean(0)


Slices = tuple[slice, ...]


def tiles(shape: Sequence[int], size: int, context: int, grain: int = 1) -> list[tuple[Slices, Slices, Slices]]:
    """Return the tiles of a tensor of spatial `shape`, each at most `size` long along every axis.

    For each tile three tuples of slices: the tile with up to `context` places around it, the tile within those, and the
    tile within the tensor. All begin at multiples of `grain`, so that a network that works at a fraction of the size
    sees every tile in the same phase.
    """
    size, context = max(grain, size // grain * grain), math.ceil(context / grain) * grain
    axes = []
    for length in shape:
        spans = []
        for start in range(0, length, size):
            end = min(start + size, length)
            low, high = max(0, start - context), min(length, end + context)
            spans.append((slice(low, high), slice(start - low, end - low), slice(start, end)))
        axes.append(spans)
    return [
        (tuple(span[0] for span in spans), tuple(span[1] for span in spans), tuple(span[2] for span in spans))
        for spans in itertools.product(*axes)
    ]


class Rows:
    """The rows of a tensor ``(C, *S)`` as they were, while it is overwritten from its first row to its last."""

    def __init__(self, x: Tensor) -> None:
        self._x = x
        self._span = slice(0, 0)
        self._rows = x[:, :0]

    def at(self, context: slice, place: slice) -> Tensor:
        """Return the rows `context` of the first spatial axis; those before `place` may have been overwritten since.

        `context` begins no earlier than in the call before.
        """
        if context != self._span:
            rows = self._x[:, context].clone()
            known = place.start - context.start
            offset = context.start - self._span.start
            if known:
                rows[:, :known] = self._rows[:, offset : offset + known]
            self._span, self._rows = context, rows
        return self._rows
