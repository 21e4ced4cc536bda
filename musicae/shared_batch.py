"""A batch shared among processes: what is drawn for it and measured over it is the same as in one process.

Each process has an equal part of the batch. It draws for the whole batch and keeps its own part of the numbers.
Outside of such a training these are plain draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Share", "normal", "sharing", "uniform_like", "whole"]


@dataclass(frozen=True)
class Share:
    """The part of a batch that one process has: part `index` of `count` equal ones.

    `gather` returns what all processes have, ``(B, ...)`` -> ``(count * B, ...)``, in their order.
    """

    index: int = 0
    count: int = 1
    gather: Callable[[Tensor], Tensor] = lambda x: x

    def of(self, x: Tensor) -> Tensor:
        """Return this process's part of a tensor of the whole batch, ``(count * B, ...)`` -> ``(B, ...)``."""
        size = len(x) // self.count
        return x.narrow(0, self.index * size, size)


_share: ContextVar[Share] = ContextVar("share", default=Share())  # noqa: B039, since a Share is frozen.


@contextmanager
def sharing(share: Share) -> Iterator[None]:
    """Let the batch meanwhile be one part of a larger one."""
    before = _share.set(share)
    try:
        yield
    finally:
        _share.reset(before)


def normal(shape: Sequence[int], generator: torch.Generator | None = None) -> Tensor:
    """Draw from N(0, 1), on the CPU; the first axis of `shape` is the batch."""
    share = _share.get()
    return share.of(torch.randn((share.count * shape[0], *shape[1:]), generator=generator))


def uniform_like(x: Tensor) -> Tensor:
    """Draw from 0 to 1 with the global generator, of the shape ``(B, ...)``, type and device of `x`."""
    share = _share.get()
    return share.of(torch.rand((share.count * len(x), *x.shape[1:]), dtype=x.dtype, device=x.device))


def whole(x: Tensor) -> Tensor:
    """Return a tensor ``(B, ...)`` of the whole batch, without gradients, to measure something over it."""
    return _share.get().gather(x.detach())
