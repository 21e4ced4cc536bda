"""Output heads: features ``(B, H, T)`` -> the likelihood's parameters ``(B, C, T)``, or values.

Every head has the same two methods: `params`, which gets the true values, and `decode`, which picks its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from musicae.core import Choose

__all__ = ["DirectHead", "Head"]


class Head(nn.Module, ABC):
    """Turns a decoder's features into parameters and values."""

    @abstractmethod
    def params(self, features: Tensor, x: Tensor | None) -> Tensor:
        """Return the parameters ``(B, C, *S)`` of `features` ``(B, H, *S)``; `x` are the true values ``(B, C, *S)``."""

    @abstractmethod
    def decode(self, features: Tensor, choose: Choose) -> Tensor:
        """Return values ``(B, C, *S)``, picked by `choose`."""


class DirectHead(Head):
    """Uses the features themselves as parameters, for all places at once."""

    def params(self, features: Tensor, x: Tensor | None) -> Tensor:
        """Return the features."""
        return features

    def decode(self, features: Tensor, choose: Choose) -> Tensor:
        """Choose all values at once."""
        return choose(features.float())
