"""Output heads: features ``(B, H, T)`` -> the likelihood's parameters ``(B, C, T)``, or values.

Every head has the same two methods: `params`, which gets the true values, and `decode`, which picks its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from musicae.core import Choose, State
from musicae.errors import MusicaeError

__all__ = ["DirectHead", "Head"]


class Head(nn.Module, ABC):
    """Turns a decoder's features into parameters and values."""

    stepwise: ClassVar[bool] = False
    """Whether it writes step by step, and implements `initial_state` and `step`."""

    def initial_state(self, batch: int) -> State:
        """Return the state before the first step of `batch` sequences."""
        return ()

    def step(self, features: Tensor, previous: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the parameters ``(N, C)`` of a step after `previous` ``(N, C)``, given ``(N, H)``, and the state."""
        raise MusicaeError("this model writes all steps at once; use `decode`")

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
