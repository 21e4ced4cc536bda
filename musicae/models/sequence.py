"""Step-by-step models along the last axis: a recurrent output head, and a small language model."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import Choose, Latent, Spec
from ..errors import MusicaeError

__all__ = ["LanguageModel", "StepHead"]


class StepHead(nn.Module):
    """Writes step after step, seeing what it wrote: features ``(B, H, T)`` -> parameters ``(B, C, T)``.

    A decoder that writes all steps at once cannot tell, where a code is ambiguous, which of two
    tunes its neighbour chose; this head can. `dropout` hides that share of the previous steps in
    training, so that the features keep telling most of it (Bowman et al. 2016, word dropout).
    """

    def __init__(self, features: int, channels: int, width: int, dropout: float = 0.0, layers: int = 1) -> None:
        super().__init__()
        self.dropout = dropout
        self.previous = nn.Linear(channels, width)
        self.features = nn.Linear(features, width) if features else None
        self.gru = nn.GRU(width, width, num_layers=layers, batch_first=True)
        self.out = nn.Linear(width + features, channels)

    def forward(self, features: Tensor, x: Tensor) -> Tensor:
        """Teacher-forced: every step sees the true ones before it."""
        before = F.pad(x, (1, 0))[..., :-1]
        if self.training and self.dropout:
            before = before * (torch.rand_like(before[:, :1]) >= self.dropout)
        params, _ = self._steps(features.mT, before.mT, None)
        return params.mT

    def decode(self, features: Tensor, choose: Choose) -> Tensor:
        """Generate values ``(B, C, T)``, each step picked by `choose` and fed to the next."""
        inputs = features.mT
        value = inputs.new_zeros(inputs.shape[0], 1, self.previous.in_features)
        state, values = None, []
        for step in range(inputs.shape[1]):
            params, state = self._steps(inputs[:, step : step + 1], value, state)
            value = choose(params.mT).mT
            values.append(value)
        return torch.cat(values, dim=1).mT

    def _steps(self, features: Tensor, before: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """``(B, T, H)`` and ``(B, T, C)`` -> parameters ``(B, T, C)`` and the state."""
        inputs = self.previous(before)
        if self.features is not None:
            inputs = inputs + self.features(features)
        hidden, state = self.gru(inputs, state)
        both = torch.cat([hidden, features.to(hidden.dtype)], dim=-1) if self.features is not None else hidden
        return self.out(both), state


class LanguageModel(nn.Module):
    """A recurrent model of sequences with no code, that tells how likely a line is, step after step."""

    latent_size = 0

    def __init__(self, spec: Spec, width: int = 256, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        if len(spec.shape) != 1:
            raise MusicaeError(f"[model] 'lm' takes sequences, not windows of shape {spec.shape}")
        self.length = spec.shape[0]
        self.head = StepHead(0, spec.channels, width, dropout, layers)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Refuse: there is no code."""
        raise MusicaeError("a language model has no code; use a preset whose model is an autoencoder")

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the parameters of each step given the true steps before it, ``(B, C, T)``."""
        empty = x.new_zeros(x.shape[0], 0, x.shape[-1])
        out: Tensor = self.head(empty, x)
        return out

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Generate ``(B, C, T)``; `z` ``(B, 0)`` only says how many."""
        return self.head.decode(z.new_zeros(z.shape[0], 0, self.length), choose)
