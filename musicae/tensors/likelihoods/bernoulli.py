"""Independent values of 0 or 1."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Likelihood

__all__ = ["Bernoulli"]

_BITS = 24  # Of a float32's integers.


class Bernoulli(Likelihood):
    """Independent values of 0 or 1; `params` are logits. Targets in between are taken as probabilities.

    With `grey` the mode is the probability itself, as fits pictures whose greys are probabilities; values are then
    compared as greys, and are not discrete. Otherwise a value is 1 where its probability is over `threshold`. One half
    gives the fewest errors; for the best F1 score of rare values it is half of that score (Lipton et al. 2014), and as
    many are 1 as should be.
    """

    probabilities = True

    def __init__(self, grey: bool = False, threshold: Annotated[float, Meta(ge=0.001, le=0.999)] = 0.5) -> None:
        self.grey, self.discrete = grey, not grey
        self._least = math.log(threshold / (1 - threshold))  # The logit over which a value is 1.

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the binary cross-entropy, ``(B,)``."""
        return F.binary_cross_entropy_with_logits(params, target, reduction="none").flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return 1 where the probability is over the threshold, or with `grey` the probability."""
        return torch.sigmoid(params) if self.grey else (params > self._least).to(params)

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw each value from ``sigmoid(params / temperature)``."""
        if temperature <= 0:
            return self.mode(params)
        uniform = torch.rand(params.shape, generator=generator).to(params)
        return (uniform < torch.sigmoid(params / temperature)).to(params)

    def compact(self, x: Tensor) -> Tensor:
        """Return discrete values as the bits of whole numbers, 24 channels in each: ``(N, ceil(C / 24), *S)``."""
        if self.grey or x.shape[1] == 1:
            return x
        return torch.stack(
            [
                torch.einsum("nb...,b->n...", bits, 2.0 ** torch.arange(bits.shape[1]).to(bits))
                for bits in torch.split(x, _BITS, 1)
            ],
            dim=1,
        )

    def flaw(self, x: Tensor, axis: int) -> str:
        """Return what is wrong with values that are not probabilities."""
        return "" if bool(((x >= 0) & (x <= 1)).all()) else "has values outside 0 .. 1"
