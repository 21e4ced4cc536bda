"""One of several classes at each place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Likelihood

__all__ = ["Categorical"]

_UNIFORM_RANGE = (1e-20, 1 - 1e-7)  # Of uniform draws, whose logarithms are taken.


class Categorical(Likelihood):
    """One of ``C`` classes at each place; `params` are logits, values one-hot over axis 1. The first class is blank."""

    discrete = True

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, ``(B,)``."""
        return F.cross_entropy(params, target.argmax(1), reduction="none").flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the most probable class, one-hot."""
        return torch.zeros_like(params).scatter_(1, params.argmax(1, keepdim=True), 1.0)

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw a class at each place from ``softmax(params / temperature)`` by the Gumbel-max trick."""
        if temperature <= 0:
            return self.mode(params)
        uniform = torch.rand(params.shape, generator=generator).clamp_(*_UNIFORM_RANGE).to(params)
        return self.mode(params / temperature - (-uniform.log()).log())

    def blank(self, channels: int) -> Tensor:
        """Return the first class, one-hot ``(C,)``."""
        return F.one_hot(torch.tensor(0), channels).float()

    def compact(self, x: Tensor) -> Tensor:
        """Return the classes ``(N, 1, *S)``, which differ where the one-hot values do."""
        return x.argmax(1, keepdim=True)

    def free_values(self, channels: int) -> int:
        """Return 1: a place has one class."""
        return 1

    def pack(self, x: Tensor) -> Tensor:
        """Return the classes ``(N, *S)``, a byte each if there are at most 256."""
        return x.argmax(1).to(torch.uint8 if x.shape[1] <= 256 else torch.int32)

    def flaw(self, x: Tensor, axis: int) -> str:
        """Return what is wrong with values that are not one-hot."""
        one_hot = bool(((x == 0) | (x == 1)).all()) and bool((x.sum(axis) == 1).all())
        return "" if one_hot else f"is not one-hot over its {x.shape[axis]} channels, as 'categorical' needs"
