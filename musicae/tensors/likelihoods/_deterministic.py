"""The base of likelihoods that are distances, without a density to draw from."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Likelihood

__all__ = ["Deterministic"]


class Deterministic(Likelihood):
    """A loss whose `params` are the values themselves."""

    def mode(self, params: Tensor) -> Tensor:
        """Return the values themselves."""
        return params

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Return the values themselves: there is no density to draw from."""
        return params
