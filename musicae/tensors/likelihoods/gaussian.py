"""Real values, normally distributed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from musicae.core import Likelihood
from musicae.ranges import Weight

__all__ = ["Gaussian"]

_MIN_ERROR = 1e-6  # Mean squared error; reducing it further gains little.


class Gaussian(Likelihood):
    """Real values around `params` with a standard deviation `scale`.

    A `scale` of 0 means the most probable one for each example, the root of its mean squared error (Rybkin, Daniilidis
    and Levine 2021, sigma-VAE); this minimises the mean logarithm of the error, and so maximises the mean PSNR. With
    `clip` the mode is clipped to 0 .. 1, as fits pictures; draws are not.
    """

    def __init__(self, scale: Weight = 1.0, clip: bool = False) -> None:
        self.scale, self.clip = scale, clip

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the negative log-density, ``(B,)``."""
        if not self.scale:
            error = (params - target).square().flatten(1)
            return 0.5 * error.shape[1] * ((error.mean(1) + _MIN_ERROR).log() + 1.0 + math.log(2 * math.pi))
        squared = ((params - target) / self.scale).square()
        return (0.5 * squared + math.log(self.scale) + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the mean."""
        return params.clamp(0.0, 1.0) if self.clip else params

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw around the mean with ``temperature * scale``."""
        noise = torch.randn(params.shape, generator=generator).to(params)
        return params + temperature * self.scale * noise
