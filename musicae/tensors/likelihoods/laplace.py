"""Real values whose median is learned."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from musicae.core import Likelihood
from musicae.errors import MusicaeError
from musicae.ranges import Weight

__all__ = ["Laplace"]

_MAX_DRAW = 0.4999999  # Of uniform draws in -1/2 .. 1/2: the ends would become infinite.


class Laplace(Likelihood):
    """Real values around `params` with a mean absolute deviation `scale`: their median is learned, not their mean."""

    def __init__(self, scale: Weight = 1.0) -> None:
        if not scale > 0:
            raise MusicaeError(f"[likelihood] scale must be over 0, not {scale}")
        self.scale = scale

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the negative log-density, ``(B,)``."""
        return ((params - target).abs() / self.scale + math.log(2 * self.scale)).flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the median."""
        return params

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw around the median with ``temperature * scale``, by inverting the distribution function."""
        uniform = torch.rand(params.shape, generator=generator).to(params) - 0.5
        noise = -uniform.sign() * torch.log1p(-2 * uniform.abs().clamp_max(_MAX_DRAW))
        return params + temperature * self.scale * noise
