"""A limit on the tensors created while a network is built: its size may come from an untrusted file."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from musicae.errors import MusicaeError

__all__ = ["AllocationLimit", "skip_initialisation"]

_skipping = threading.RLock()
_SHAPED = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn)


class AllocationLimit(TorchFunctionMode):
    """Raise MusicaeError with `message` before more than `limit` numbers are created in all, or at once.

    The factories of torch count (``torch.empty``, ``torch.randn``, ``torch.arange`` ...), by which layers create their
    weights; of arithmetic, only the results of broadcasting. Building on the meta device would give the sizes too, but
    loads so much of torch that it takes a second.
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
        """Count, then call `func`."""
        kwargs = kwargs or {}
        count = _new_numbers(func, args, kwargs)
        self.left -= count
        if self.left < 0 or _broadcast_numbers(args) > self.limit:
            raise MusicaeError(self.message)
        return func(*args, **kwargs)


def _new_numbers(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
    """Return how many numbers a factory creates; 0 for any other function."""
    if func in _SHAPED:
        size = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
        return math.prod(int(n) for n in size)
    if func is torch.eye:
        return int(math.prod(args[:2])) if len(args) > 1 else int(args[0]) ** 2
    if func is torch.arange:
        start, end, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        return max(0, -int(-(end - start) // step))
    if func is torch.linspace:
        return int(kwargs.get("steps", args[2] if len(args) > 2 else 0))
    return int(args[0]) if func is torch.hann_window else 0


def _broadcast_numbers(args: Sequence[Any]) -> int:
    """Return the size of the result of broadcasting tensors against each other; 0 where they are not broadcast."""
    shapes = [tuple(reversed(arg.shape)) for arg in args if isinstance(arg, Tensor)]
    if len(shapes) < 2:
        return 0
    count = 1
    for sizes in zip_longest(*shapes, fillvalue=1):
        larger = {size for size in sizes if size != 1}
        if len(larger) > 1:  # A matrix product, say.
            return 0
        count *= larger.pop() if larger else 1
    return count


@contextmanager
def skip_initialisation() -> Iterator[None]:
    """Build layers without drawing initial weights: a checkpoint overwrites them anyway.

    The functions that draw them belong to the process: other threads keep drawing, and wait for their turn to skip it.
    """
    names = ("kaiming_uniform_", "uniform_", "normal_", "zeros_", "ones_")
    own = threading.get_ident()

    def skipping(function: Callable[..., Any]) -> Callable[..., Any]:
        def draw(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
            return tensor if threading.get_ident() == own else function(tensor, *args, **kwargs)

        return draw

    with _skipping:
        kept = {name: vars(nn.init)[name] for name in names}
        try:
            for name, function in kept.items():
                setattr(nn.init, name, skipping(function))
            yield
        finally:
            for name, function in kept.items():
                setattr(nn.init, name, function)
