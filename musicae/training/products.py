"""The matrix products of a network, counted while it computes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Product", "Products"]

Product = tuple[int, int, int]
"""A matrix product: the rows and the columns of the first, and the columns of the second."""


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations of each matrix product, and of convolutions, attention and LSTMs as products.

    A multiplication and an addition are two operations; `flops` has them by shape, type and device. It counts what runs
    in the block that it is the context of.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops: Counter[tuple[Product, torch.dtype, torch.device]] = Counter()

    @property
    def total(self) -> int:
        """All operations together."""
        return sum(self.flops.values())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call `func`, and count it."""
        out = func(*args, **(kwargs or {}))
        first = next((arg for arg in args if isinstance(arg, Tensor)), None)
        if first is not None:
            for times, product in _products(func, args, out):
                self.flops[product, first.dtype, first.device] += times * 2 * math.prod(product)
        return out


def _products(func: Any, args: Sequence[Any], out: Any) -> list[tuple[int, Product]]:
    """Return the matrix products that a call stands for, and how many times each."""
    aten, name = torch.ops.aten, func.overloadpacket
    if name in (aten.mm, aten.addmm, aten.bmm, aten.baddbmm):
        a, b = args[-2:] if name in (aten.mm, aten.bmm) else args[1:3]
        return [(math.prod(a.shape[:-2]), (a.shape[-2], a.shape[-1], b.shape[-1]))]
    if name in (aten.convolution, aten.convolution_backward):
        backward = name is aten.convolution_backward
        x, weight = args[1:3] if backward else args[:2]
        places = args[0] if backward else out
        if args[7 if backward else 6]:  # Transposed: its products are those at the places of its input.
            places = x
        once = (1, (len(places) * math.prod(places.shape[2:]), math.prod(weight.shape[1:]), weight.shape[0]))
        return [once] * (sum(args[-1][:2]) if backward else 1)
    if name in (aten.mkldnn_rnn_layer, aten.mkldnn_rnn_layer_backward):
        x, w_in, w_recurrent = args[:3]
        steps = math.prod(x.shape[:2])
        both = [(1, (steps, weight.shape[1], weight.shape[0])) for weight in (w_in, w_recurrent)]
        return both * (2 if name is aten.mkldnn_rnn_layer_backward else 1)
    if "scaled_dot_product" in str(name):
        backward = "backward" in str(name)
        q, k = args[1:3] if backward else args[:2]
        size = (q.shape[-2], q.shape[-1], k.shape[-2])
        return [(math.prod(q.shape[:-2]) * (5 if backward else 2), size)]
    return []
