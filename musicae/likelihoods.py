"""Likelihoods: what turns a decoder's output into a distribution and a loss.

All are over ``(B, C, *S)``; `nll` sums over everything but the batch, in nats.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Bernoulli", "Categorical", "Gaussian"]

_LEAST = 1e-6  # Mean squared error below which an example's own scale stops shrinking.


class Categorical:
    """One of ``C`` classes at each place; `params` are logits, values one-hot over axis 1."""

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, ``(B,)``."""
        return F.cross_entropy(params, target.argmax(1), reduction="none").flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the likeliest class, one-hot."""
        return self._one_hot(params.argmax(1), params)

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw a class at each place from ``softmax(params / temperature)`` by the Gumbel-max trick."""
        if temperature <= 0:
            return self.mode(params)
        uniform = torch.rand(params.shape, generator=generator).clamp_(1e-20, 1 - 1e-7).to(params)
        return self.mode(params / temperature - (-uniform.log()).log())

    @staticmethod
    def _one_hot(index: Tensor, like: Tensor) -> Tensor:
        return torch.zeros_like(like).scatter_(1, index.unsqueeze(1), 1.0)


class Bernoulli:
    """Each value is 0 or 1 on its own; `params` are logits. Targets in between are taken as probabilities.

    With `grey` the mode is the probability itself, as fits pictures whose greys are probabilities.
    """

    def __init__(self, grey: bool = False) -> None:
        self.grey = grey

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the binary cross-entropy, ``(B,)``."""
        return F.binary_cross_entropy_with_logits(params, target, reduction="none").flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return 1 where the probability is over one half, or with `grey` the probability."""
        return torch.sigmoid(params) if self.grey else (params > 0).to(params)

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw each value from ``sigmoid(params / temperature)``."""
        if temperature <= 0:
            return self.mode(params)
        uniform = torch.rand(params.shape, generator=generator).to(params)
        return (uniform < torch.sigmoid(params / temperature)).to(params)


class Gaussian:
    """Real values around `params` with a standard deviation `scale`.

    A `scale` of 0 means the likeliest for each example, the root of its own mean squared error (Rybkin, Daniilidis
    and Levine 2021, sigma-VAE): the mean logarithm of the error is minimised, and so the mean PSNR maximised.
    With `clip` the mode is kept within 0 .. 1, as fits pictures.
    """

    def __init__(self, scale: float = 1.0, clip: bool = False) -> None:
        self.scale, self.clip = scale, clip

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the negative log-density, ``(B,)``."""
        if not self.scale:
            error = (params - target).square().flatten(1)
            return 0.5 * error.shape[1] * ((error.mean(1) + _LEAST).log() + 1.0 + math.log(2 * math.pi))
        squared = ((params - target) / self.scale).square()
        return (0.5 * squared + math.log(self.scale) + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the mean."""
        return params.clamp(0.0, 1.0) if self.clip else params

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw around the mean with ``temperature * scale``."""
        noise = torch.randn(params.shape, generator=generator).to(params)
        return params + temperature * self.scale * noise
