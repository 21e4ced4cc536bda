"""A limit on the tensors that are made while a network is built: what names its size may be a file of anyone's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from musicae.errors import MusicaeError

__all__ = ["AllocationLimit"]

_SHAPED = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn)


class AllocationLimit(TorchFunctionMode):
    """Raise MusicaeError with `message` before more than `limit` numbers are made in all, or at once.

    Counted are the factories of torch (``torch.empty``, ``torch.randn``, ``torch.arange`` ...), of which layers make
    their weights; of arithmetic it is the size of the result where tensors are broadcast. Building on the meta device
    would tell sizes as well, but loads so much of torch that it takes a second.
    """

    def __init__(self, limit: int, message: str) -> None:
        super().__init__()
        self.limit, self.left, self.message = limit, limit, message

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Count, then do what was asked."""
        kwargs = kwargs or {}
        count = _new_numbers(func, args, kwargs)
        self.left -= count
        if self.left < 0 or _broadcast_numbers(args) > self.limit:
            raise MusicaeError(self.message)
        return func(*args, **kwargs)


def _new_numbers(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
    """Return how many numbers a factory makes; 0 for any other function."""
    if func in _SHAPED:
        size = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
        return math.prod(int(n) for n in size)
    if func is torch.eye:
        return int(math.prod(args[:2])) if len(args) > 1 else int(args[0]) ** 2
    if func is torch.arange:
        start, end, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        return max(0, int(math.ceil((end - start) / step)))
    if func is torch.linspace:
        return int(kwargs.get("steps", args[2] if len(args) > 2 else 0))
    return int(args[0]) if func is torch.hann_window else 0


def _broadcast_numbers(args: Sequence[Any]) -> int:
    """Return the size of what tensors give when they are broadcast against each other; 0 where they are not."""
    shapes = [tuple(reversed(one.shape)) for one in args if isinstance(one, Tensor)]
    if len(shapes) < 2:
        return 0
    count = 1
    for sizes in zip_longest(*shapes, fillvalue=1):
        larger = {size for size in sizes if size != 1}
        if len(larger) > 1:  # A product of matrices, say.
            return 0
        count *= larger.pop() if larger else 1
    return count
