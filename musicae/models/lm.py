"""A small language model of sequences."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Choose, Latent, Model, Spec, State
from musicae.errors import MusicaeError
from musicae.models.layers.step_head import StepHead
from musicae.ranges import Depth, Share, Size

__all__ = ["LanguageModel"]


class LanguageModel(Model):
    """A recurrent model of sequences without a code: it says how probable each step is after the steps before.

    Parameters
    ----------
    spec : the windows, with one spatial axis.
    width, layers : of the GRU.
    dropout : share of the previous steps that is hidden in training.
    """

    stepwise = True
    why_no_code = "a language model has no code; use a preset whose model is an autoencoder"

    def __init__(self, spec: Spec, width: Size = 256, layers: Depth = 1, dropout: Share = 0.0) -> None:
        super().__init__()
        if len(spec.shape) != 1:
            raise MusicaeError(f"[model] 'lm' takes sequences, not windows of shape {spec.shape}")
        self.length = spec.shape[0]
        self.head = StepHead(0, spec.channels, width, dropout, layers)

    def forward(
        self, given: Tensor, target: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Latent]:
        """Return the parameters ``(B, C, T)`` of `target`, and an empty code; `given` is ignored."""
        latent = Latent.none(target)
        return self.params(latent.mean, target, cond), latent

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        """Return the parameters ``(B, C, T)`` of each step given the true steps `x` before it; `z` is ignored."""
        if x is None:
            raise MusicaeError("a language model has no code to decode: give params the sequence itself")
        return self.head.params(x.new_zeros(x.shape[0], 0, x.shape[-1]), x)

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Generate values ``(B, C, T)``; `z` ``(B, 0)`` only gives ``B``."""
        return self.head.decode(z.new_zeros(z.shape[0], 0, self.length), choose)

    def features(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return what `step` is given: nothing, ``(B, 1, T, 0)``."""
        return z.new_zeros(z.shape[0], 1, self.length, 0)

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first step of `batch` sequences."""
        return self.head.initial_state(batch)

    def step(self, features: Tensor, previous: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the parameters ``(N, C)`` of a step after `previous` ``(N, C)``, and the state."""
        return self.head.step(features, previous, state)
