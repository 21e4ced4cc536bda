"""Complex numbers as pairs of real ones: within `pairs` code that uses complex tensors runs on real operators alone.

ONNX has no complex numbers. A Fourier transform becomes two small matrix products with a rotation in between
(Cooley and Tukey 1965), which any runtime does fast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

__all__ = ["Pair", "pairs"]


class Pair:
    """A complex tensor as its real and its imaginary part, of one shape; with what models do with such tensors."""

    def __init__(self, real: Tensor, imag: Tensor) -> None:
        self.real, self.imag = real, imag

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _FUNCTIONS[function](*args, **kwargs or {}) if function in _FUNCTIONS else NotImplemented

    @property
    def shape(self) -> torch.Size:
        """The shape of both parts."""
        return self.real.shape

    @property
    def device(self) -> torch.device:
        """The device of both parts."""
        return self.real.device

    def map(self, function: Callable[[Tensor], Tensor]) -> Pair:
        """Return `function` of the real and of the imaginary part."""
        return Pair(function(self.real), function(self.imag))

    def __getitem__(self, index: Any) -> Pair:
        return self.map(lambda part: part[index])

    def __add__(self, other: Any) -> Pair:
        return _both(other, lambda re, im: Pair(self.real + re, self.imag if im is None else self.imag + im))

    def __mul__(self, other: Any) -> Pair:
        def product(re: Any, im: Any) -> Pair:
            if im is None:
                return self.map(lambda part: part * re)
            return Pair(self.real * re - self.imag * im, self.real * im + self.imag * re)

        return _both(other, product)

    def __truediv__(self, other: Tensor | float) -> Pair:
        return self.map(lambda part: part / other)

    __radd__, __rmul__ = __add__, __mul__

    def abs(self) -> Tensor:
        """Return the magnitudes."""
        return (self.real * self.real + self.imag * self.imag).sqrt()

    def conj(self) -> Pair:
        """Return the complex conjugate."""
        return Pair(self.real, -self.imag)

    def squeeze(self, axis: int) -> Pair:
        """Return it without an axis of size 1."""
        return self.map(lambda part: part.squeeze(axis))

    def unbind(self, axis: int = 0) -> list[Pair]:
        """Return what there is along an axis."""
        return [Pair(*parts) for parts in zip(self.real.unbind(axis), self.imag.unbind(axis), strict=True)]


class pairs(TorchFunctionMode):
    """Within this context functions that would make complex tensors make a `Pair`."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of PyTorch."""
        own, kwargs = _FUNCTIONS.get(function), kwargs or {}
        made = NotImplemented if own is None else own(*args, **kwargs)
        return function(*args, **kwargs) if made is NotImplemented else made


def _both(other: Any, use: Callable[[Any, Any], Pair]) -> Pair:
    """Call `use` with the real and the imaginary part of a factor or summand; the latter is None for a real one."""
    if isinstance(other, Pair):
        return use(other.real, other.imag)
    if isinstance(other, complex):
        return use(other.real, other.imag)
    if isinstance(other, Tensor) and other.is_complex():
        parts = torch.view_as_real(other)
        return use(parts[..., 0], parts[..., 1])
    return use(other, None)


def _times(a: Any, b: Any, **kwargs: Any) -> Any:
    if isinstance(b, Pair):
        return b * a
    return Pair(a * b.real, a * b.imag) if isinstance(b, complex) else NotImplemented


def _plus(a: Any, b: Any, **kwargs: Any) -> Any:
    return b + a if isinstance(b, Pair) else NotImplemented


def _as_pair(x: Tensor) -> Pair:
    return Pair(x[..., 0], x[..., 1])


def _as_real(x: Any) -> Any:
    return torch.stack([x.real, x.imag], -1) if isinstance(x, Pair) else NotImplemented


def _of_list(function: Callable[..., Tensor]) -> Callable[..., Any]:
    """Return `function`, which joins several tensors, for several pairs."""

    def joined(parts: Iterable[Any], dim: int = 0) -> Any:
        parts = list(parts)
        if not isinstance(parts[0], Pair):
            return NotImplemented
        return Pair(function([part.real for part in parts], dim), function([part.imag for part in parts], dim))

    return joined


def _addcmul(x: Any, a: Any, b: Any, value: float = 1.0) -> Any:
    return x + a * b if isinstance(x, Pair) else NotImplemented


def _where(chosen: Tensor, x: Any, y: Any) -> Any:
    if not isinstance(x, Pair):
        return NotImplemented
    return Pair(torch.where(chosen, x.real, y.real), torch.where(chosen, x.imag, y.imag))


def _exp(x: Any) -> Any:
    if not isinstance(x, Pair):
        return NotImplemented
    size = x.real.exp()
    return Pair(size * x.imag.cos(), size * x.imag.sin())


def _pad(x: Any, *args: Any, **kwargs: Any) -> Any:
    return x.map(lambda part: F.pad(part, *args, **kwargs)) if isinstance(x, Pair) else NotImplemented


def _factors(n: int) -> tuple[int, int]:
    """Return two factors of `n` that are as near to each other as possible, the smaller one first."""
    small = next(i for i in range(math.isqrt(n), 0, -1) if n % i == 0)
    return small, n // small


def _turns(rows: int, columns: int, n: int) -> tuple[Tensor, Tensor]:
    """Return the cosines and sines of ``2 pi r c / n``, ``(rows, columns)`` each."""
    angles = torch.arange(rows).double()[:, None] * torch.arange(columns) * (2 * math.pi / n)
    return angles.cos().float(), angles.sin().float()


def _rfft(x: Tensor) -> Pair:
    """Return the spectra ``(..., N / 2 + 1)`` of ``(..., N)``; N is even.

    With sample ``q a + b`` and bin ``c + p d`` of ``N = p q``, the sum over `a` is one product of matrices, that over
    `b` another.
    """
    n = x.shape[-1]
    p, q = _factors(n)
    cos, sin = _turns(p, p, p)
    parts = torch.cat([cos, -sin]) @ x.view(*x.shape[:-1], p, q)  # (..., 2 p, q): the sum over a.
    real, imag = parts[..., :p, :], parts[..., p:, :]
    cos, sin = _turns(p, q, n)
    real, imag = real * cos + imag * sin, imag * cos - real * sin
    half = q // 2 + 1
    cos, sin = _turns(q, half, q)
    matrix = torch.cat([torch.cat([cos, -sin], 1), torch.cat([sin, cos], 1)])  # (2 q, 2 half)
    parts = torch.cat([real, imag], -1) @ matrix
    bins = n // 2 + 1
    return Pair(*(part.transpose(-1, -2).flatten(-2)[..., :bins] for part in (parts[..., :half], parts[..., half:])))


def _irfft(x: Pair, n: int) -> Tensor:
    """Undo `_rfft`."""
    p, q = _factors(n)
    half, bins = q // 2 + 1, n // 2 + 1
    counts = torch.full((bins,), 2.0 / n)  # All bins but the outermost stand for two.
    counts[0] = counts[-1] = 1.0 / n
    shape = (*x.shape[:-1], half, p)
    grids = x.map(lambda part: F.pad(part * counts, (0, p * half - bins)).view(shape).transpose(-1, -2))
    cos, sin = _turns(half, q, q)
    matrix = torch.cat([torch.cat([cos, sin], 1), torch.cat([-sin, cos], 1)])  # (2 half, 2 q)
    parts = torch.cat([grids.real, grids.imag], -1) @ matrix
    real, imag = parts[..., :q], parts[..., q:]
    cos, sin = _turns(p, q, n)
    turned = torch.cat([real * cos - imag * sin, real * sin + imag * cos], -2)
    cos, sin = _turns(p, p, p)
    return (torch.cat([cos, -sin], 1) @ turned).flatten(-2)


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    torch.Tensor.mul: _times, torch.Tensor.add: _plus,
    torch.view_as_complex: _as_pair, torch.view_as_real: _as_real, torch.complex: Pair,
    torch.cat: _of_list(torch.cat), torch.stack: _of_list(torch.stack),
    torch.addcmul: _addcmul, torch.where: _where, torch.exp: _exp, F.pad: _pad,
    torch.fft.rfft: _rfft, torch.fft.irfft: _irfft,
}  # fmt: skip
