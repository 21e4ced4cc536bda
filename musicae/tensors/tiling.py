"""A tensor of any size, worked on in blocks or overlapping tiles, so that memory does not grow."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.tensors.windows import Rows, tiles

__all__ = ["in_blocks", "in_tiles"]

_BLOCK = 2**17  # Steps at once.
_TILE = 768  # Places along an axis.
_CONTEXT = 48  # Around a tile, only seen: of a photo denoised without, a byte in 200 differs beside its edges, by one.
_WHITE = 255  # The byte that stands for 1.


def in_blocks(
    x: Tensor,
    work: Callable[[Tensor], Tensor],
    grain: int,
    delay: int,
    report: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Return what `work` makes of ``(C, T)``, block after block.

    `work` takes blocks ``(C, t)`` whose size `grain` divides; what it gives lags behind by `delay` steps. `report` is
    told the steps done, and their number.
    """
    length, parts, done = x.shape[-1], [], 0
    padded = F.pad(x, (0, delay + -(length + delay) % grain))
    for block in torch.split(padded, -(-_BLOCK // grain) * grain, dim=-1):
        if report:
            report(min(done, length), length)
        parts.append(work(block))
        done += block.shape[-1]
    if report:
        report(length, length)
    return torch.cat(parts, dim=-1)[..., delay : delay + length]


def in_tiles(
    x: Tensor,
    work: Callable[[Tensor], Tensor],
    grain: int,
    report: Callable[[int, int], None] | None = None,
    *,
    in_place: bool = False,
) -> Tensor:
    """Return what `work` makes of ``(C, *S)``, of any size.

    Parameters
    ----------
    x : values, float32, or bytes, uint8, whose 255 stands for 1. The result is of the same type and shape.
    work : from values ``(1, C, *S)``, of sizes that `grain` divides, to values of the same shape.
    grain : places that the network takes at once along each axis.
    report : told the tiles done, and their number.
    in_place : overwrite `x` with the result, which saves the memory of a second tensor.
    """
    is_bytes = x.dtype == torch.uint8
    out = x if in_place else torch.empty_like(x)
    places, rows = tiles(x.shape[1:], _TILE, _CONTEXT, grain), Rows(x)
    for i, (context, inner, place) in enumerate(places):
        if report:
            report(i, len(places))
        tile = rows.at(context[0], place[0])[(slice(None), slice(None), *context[1:])].float()
        made = work(_padded(tile.div_(_WHITE) if is_bytes else tile, grain))[0][(slice(None), *inner)]
        out[(slice(None), *place)] = made.clamp(0, 1).mul_(_WHITE).round_() if is_bytes else made
    if report:
        report(len(places), len(places))
    return out


def _padded(tile: Tensor, grain: int) -> Tensor:
    """Return ``(C, *S)`` as a batch of one, of sizes that `grain` divides, channels last, as convolutions like it."""
    missing = [n for size in reversed(tile.shape[1:]) for n in (0, -size % grain)]
    # Noise repeated from the edge would turn into lines, and pass for them.
    mirrored = all(-size % grain < size for size in tile.shape[1:])
    padded = F.pad(tile[None], missing, mode="reflect" if mirrored else "replicate")
    return padded.contiguous(memory_format=torch.channels_last) if padded.ndim == 4 else padded
