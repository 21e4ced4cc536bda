"""The smallest autoencoder: one matrix in, one matrix out."""

from __future__ import annotations

import math

from torch import Tensor, nn

from musicae.core import Choose, Latent, Spec


class Linear(nn.Module):
    """Windows ``(B, C, *S)`` -> codes ``(B, latent)`` -> windows."""

    def __init__(self, spec: Spec, latent: int = 8) -> None:
        super().__init__()
        self.latent_size, self.shape = latent, spec.full_shape
        self.enter = nn.Linear(math.prod(self.shape), latent)
        self.leave = nn.Linear(latent, math.prod(self.shape))

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        return Latent(self.enter(x.flatten(1)))

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.leave(z).unflatten(1, self.shape)

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        return choose(self.leave(z).unflatten(1, self.shape))
