"""Weights in 8 bits: integers with a scale for each row."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["dequantize", "quantizable", "quantize"]

_TOP = 127  # The largest integer; -128 is not used, so that the range is symmetric.
_MIN_NUMBERS, _MIN_ROW = 2**14 + 1, 16  # Less is not worth a scale for each row, and small tensors matter most.
_TINY = 1e-30  # Stands for the largest number of a row of zeros.
_CLIPPINGS = torch.linspace(1, 0.8, 81).tolist()  # Shares of the largest number in a row that `_TOP` may stand for.


def quantizable(tensor: Tensor) -> bool:
    """Tell whether `tensor` is a matrix, or a kernel ``(O, I, *K)``, of finite real numbers and worth 8 bits."""
    return (
        tensor.is_floating_point()
        and tensor.ndim > 1
        and len(tensor) > 1
        and tensor.numel() >= max(_MIN_NUMBERS, _MIN_ROW * len(tensor))
        and bool(tensor.isfinite().all())
    )


def quantize(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Return `tensor` ``(R, *S)`` as int8 of the same shape, and float32 scales ``(R,)``.

    Each row's scale is the one of several that gives the least squared error: a smaller one is finer, but clips the
    largest numbers. It is then fitted to the chosen integers by least squares.
    """
    rows = tensor.detach().cpu().float().flatten(1)
    unit = rows.abs().amax(1).clamp(min=_TINY) / _TOP
    best, error = unit, torch.full_like(unit, torch.inf)
    for share in _CLIPPINGS:
        scales = unit * share
        now = (_rounded(rows, scales) * scales[:, None] - rows).square().sum(1)
        best, error = torch.where(now < error, scales, best), torch.minimum(now, error)
    found = _rounded(rows, best)
    power = found.square().sum(1)
    scales = torch.where(power > 0, (found * rows).sum(1) / power, best)
    return found.to(torch.int8).view(tensor.shape), scales


def _rounded(rows: Tensor, scales: Tensor) -> Tensor:
    return (rows / scales[:, None]).round().clamp(-_TOP, _TOP)


def dequantize(integers: Tensor, scales: Tensor) -> Tensor:
    """Return the float32 tensor that int8 ``(R, *S)`` and scales ``(R,)`` stand for."""
    return integers.float().mul_(scales.view(-1, *(1,) * (integers.ndim - 1)))
