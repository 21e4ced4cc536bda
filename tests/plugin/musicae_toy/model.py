"""The smallest autoencoder: one matrix in, one matrix out."""

from __future__ import annotations

import math

from torch import Tensor, nn

from musicae.core import Latent, Model, Spec


class Linear(Model):
    """Windows ``(B, C, *S)`` -> codes ``(B, latent)`` -> windows."""

    def __init__(self, spec: Spec, latent: int = 8) -> None:
        super().__init__()
        self.latent_size, self.shape = latent, spec.full_shape
        self.encoder = nn.Linear(math.prod(self.shape), latent)
        self.decoder = nn.Linear(latent, math.prod(self.shape))

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        return Latent(self.encoder(x.flatten(1)))

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        return self.decoder(z).unflatten(1, self.shape)
