"""Linear maps between windows and codes, which start as the principal components of the data."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from musicae.core import Spec

__all__ = ["LinearPath"]

_LOGITS = {"categorical", "bernoulli"}
_GAIN = 8.0  # Of a logit over the value it stands for: a value of 1 where it was right has a probability of .98.
_MIDDLE = {"bernoulli": 0.5}  # The value whose logit is 0.
_SPARE = 32  # Components found besides those that are kept; they make these more exact (Halko et al. 2011).
_REAL = 0.5  # How much groups of real values count where they are weighed, of what the others do.
_MIN_RMS = 1e-3  # Of a group's values, where it is weighed by that.
_MIN_VARIANCE = 1e-6  # Of a component before it is scaled to variance one.


class LinearPath(nn.Module):
    """A linear encoder and a linear decoder, to be added to those of a model.

    A model whose own networks start at zero then starts as principal components, and learns from the first step on
    what these miss. Logits start as a multiple of the value that they stand for. Where `balanced`, groups of real
    values that are small count as much as others.
    """

    def __init__(self, spec: Spec, size: int, balanced: bool = False) -> None:
        super().__init__()
        self.spec, self.balanced = spec, balanced
        numbers = spec.channels * math.prod(spec.shape)
        self.into, self.out = nn.Linear(numbers, size), nn.Linear(size, numbers)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes ``(B, D)`` of windows ``(B, C, *S)``."""
        out: Tensor = self.into(x.flatten(1))
        return out.float()

    def decode(self, z: Tensor) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)`` for codes ``(B, D)``."""
        out: Tensor = self.out(z)
        return out.view(z.shape[0], self.spec.channels, *self.spec.shape)

    @torch.no_grad()
    def init_from_data(self, x: Tensor) -> Tensor:
        """Start as the principal components of windows ``(N, C, *S)``, each scaled to variance one.

        Return the logarithm of the variance of each code's posterior, ``(D,)``: that of a linear model whose noise is
        as strong as the last component (Tipping and Bishop 1999). Numbers for which there is no component stay zero.
        """
        weights = self._weights(x)
        rows = x.flatten(1) * weights
        size = self.into.out_features
        _, scales, vectors = torch.pca_lowrank(rows, q=min(size + _SPARE, *rows.shape), niter=3)
        kept = min(size, len(scales))
        variance, vectors = (scales[:kept].square() / len(rows)).clamp_min(_MIN_VARIANCE), vectors[:, :kept]
        for parameter in self.parameters():
            parameter.zero_()
        mean = rows.mean(0)
        into = (vectors / variance.sqrt()).T
        self.into.weight[:kept] = into * weights
        self.into.bias[:kept] = -into @ mean
        gain, middle = (self._by_channel(values).to(rows) for values in self._links())
        self.out.weight[:, :kept] = (gain / weights)[:, None] * vectors * variance.sqrt()
        self.out.bias.copy_(gain * (mean / weights - middle))
        logvar = torch.zeros(size, device=rows.device)
        logvar[:kept] = -(variance / variance[-1]).log1p()
        return logvar

    def _weights(self, x: Tensor) -> Tensor:
        """Return what numbers of windows ``(N, C, *S)`` are multiplied with to find components, ``(C * prod(S),)``."""
        weights = [1.0] * len(self.spec.groups)
        for i, group in enumerate(self.spec.groups if self.balanced else ()):
            values = x[:, self.spec.slices[group.name]]
            played = values[values != 0]
            if group.likelihood not in _LOGITS and len(played):
                weights[i] = _REAL / max(played.square().mean().sqrt().item(), _MIN_RMS)
        return self._by_channel(weights).to(x)

    def _links(self) -> tuple[list[float], list[float]]:
        """Return by how much the parameters of each group are more than its values, and which value is their zero."""
        groups = self.spec.groups
        gains = [_GAIN if group.likelihood in _LOGITS else 1.0 for group in groups]
        return gains, [_MIDDLE.get(group.likelihood, 0.0) for group in groups]

    def _by_channel(self, values: list[float]) -> Tensor:
        """Return a value of each group for every number of a window, ``(C * prod(S),)``."""
        channels = [torch.full((group.channels,), value) for group, value in zip(self.spec.groups, values, strict=True)]
        return torch.cat(channels).repeat_interleave(math.prod(self.spec.shape))
