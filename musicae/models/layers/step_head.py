"""A recurrent output head that writes step by step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Choose, State
from musicae.errors import MusicaeError
from musicae.models.layers.heads import Head
from musicae.shared_batch import uniform_like

__all__ = ["StepHead"]


class StepHead(Head):
    """Writes step by step, seeing what it wrote: features ``(B, H, T)`` -> parameters ``(B, C, T)``.

    Where a code is ambiguous between two tunes, a decoder that writes all steps at once may mix them; this head keeps
    to the one it began. `dropout` hides that share of the previous steps in training, so that the code still has to
    describe most of the tune (Bowman et al. 2016, word dropout).
    """

    stepwise = True

    def __init__(self, features: int, channels: int, width: int, dropout: float = 0.0, layers: int = 1) -> None:
        super().__init__()
        self.dropout = dropout
        self.previous = nn.Linear(channels, width)
        self.features = nn.Linear(features, width) if features else None
        self.gru = nn.GRU(width, width, num_layers=layers, batch_first=True)
        self.out = nn.Linear(width + features, channels)

    def params(self, features: Tensor, x: Tensor | None) -> Tensor:
        """Return the parameters ``(B, C, T)`` where every step sees the true ones before it (teacher forcing)."""
        if x is None:
            raise MusicaeError("this model writes step by step: give the true values `x` too, or call decode")
        previous = F.pad(x, (1, 0))[..., :-1]
        if self.training and self.dropout:
            previous = previous * (uniform_like(previous[:, :1]) >= self.dropout)
        params, _ = self._steps(features.mT, previous.mT, None)
        return params.mT

    def decode(self, features: Tensor, choose: Choose) -> Tensor:
        """Generate values ``(B, C, T)``, each step picked by `choose` and fed to the next."""
        inputs = features.transpose(1, 2)  # Tracing to ONNX knows no .mT, and takes len() as a constant.
        value = inputs.new_zeros(inputs.shape[0], self.previous.in_features)
        state, values = self.initial_state(inputs.shape[0]), []
        for step in range(inputs.shape[1]):
            params, state = self.step(inputs[:, step], value, state)
            value = choose(params[..., None])[..., 0]
            values.append(value)
        return torch.stack(values, dim=2)

    def initial_state(self, batch: int) -> State:
        """Return the GRU's state before the first step of `batch` sequences, ``(layers, batch, width)``."""
        return (self.out.bias.new_zeros(self.gru.num_layers, batch, self.gru.hidden_size),)

    def step(self, features: Tensor, previous: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the parameters ``(N, C)`` of a step, and the state; before the first, `previous` is 0."""
        params, *after = self._steps(features[:, None], previous[:, None], state[0])
        return params[:, 0], tuple(after)

    def _steps(self, features: Tensor, previous: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the parameters ``(B, T, C)`` for ``(B, T, H)`` and ``(B, T, C)``, and the state of the GRU."""
        inputs = self.previous(previous)
        if self.features is not None:
            inputs = inputs + self.features(features)
        hidden, state = self.gru(inputs, state)
        joined = torch.cat([hidden, features.to(hidden.dtype)], dim=-1) if self.features is not None else hidden
        return self.out(joined), state
