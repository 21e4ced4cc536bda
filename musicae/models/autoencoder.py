"""Autoencoders and VAEs: an encoder, a code, a decoder. They differ only in the `Latent` they give.

A sparse or an adversarial autoencoder is a plain one with a penalty on its codes; a quantised one rounds them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..core import Choose, Latent, Spec
from ..errors import MusicaeError
from .conv import ConvDecoder, ConvEncoder, conv
from .penalties import Adversary, Sparsity
from .sequence import StepHead
from .transformer import PatchDecoder, PatchEncoder

__all__ = ["CodeModel", "adversarial_ae", "conv_ae", "conv_vae", "fsq_ae", "patch_ae", "patch_vae", "sparse_ae"]


class CodeModel(nn.Module):
    """Any encoder to ``(B, features)`` and decoder to ``(B, H, *S)`` around a code of `latent` numbers.

    With `variational` the code is a Gaussian. `classes` > 0 makes it conditional: `cond`
    ``(B, classes)`` goes into the code and the decoder. `head` turns features into parameters.
    `penalty` is what it asks of its codes besides. With `rectified` no number of a code is below 0. With `levels`
    each takes one of so many values in -1 .. 1 (finite scalar quantisation, Mentzer et al. 2024), whatever is decoded.
    """

    penalty: nn.Module | None

    def __init__(
        self, encoder: nn.Module, features: int, decoder: nn.Module, head: nn.Module, latent: int,
        variational: bool, classes: int = 0, penalty: nn.Module | None = None, levels: int = 0, rectified: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.penalty, self.levels, self.rectified = penalty, levels, rectified
        self.latent_size, self.variational, self.classes = latent, variational, classes
        self.encoder, self.decoder, self.head = encoder, decoder, head
        self.code = nn.Linear(features + classes, latent * (2 if variational else 1))

    def _with(self, x: Tensor, cond: Tensor | None) -> Tensor:
        if not self.classes:
            return x
        if cond is None:
            raise MusicaeError(f"this model is conditional: give it a label of its {self.classes} classes")
        return torch.cat([x, cond.to(x)], dim=-1)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, *S)``."""
        out = self.code(self._with(self.encoder(x), cond)).float()
        if self.levels:
            return Latent(self._quantise(torch.tanh(out)))
        if not self.variational:
            return Latent(out.relu() if self.rectified else out)
        mean, logvar = out.chunk(2, dim=-1)
        return Latent(mean, logvar.clamp(-12.0, 6.0))

    def _quantise(self, code: Tensor) -> Tensor:
        """Move numbers in -1 .. 1 to the nearest of `levels` values; the gradient passes as if it had not."""
        steps = self.levels - 1
        rounded = ((code.clamp(-1, 1) + 1) / 2 * steps).round() / steps * 2 - 1
        return code + (rounded - code).detach()

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)``; a step-wise head sees `x`, the true values."""
        features = self.decoder(self._with(z, cond))
        out = self.head(features, x) if isinstance(self.head, StepHead) else self.head(features)
        return out.float()  # type: ignore[no-any-return]

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return values ``(B, C, *S)``, picked by `choose`."""
        if self.levels:
            z = self._quantise(z)
        features = self.decoder(self._with(z, cond))
        if isinstance(self.head, StepHead):
            return self.head.decode(features, choose)
        return choose(self.head(features).float())


def _head(spec: Spec, features: int, recurrent: int, dropout: float) -> nn.Module:
    if not recurrent:
        return nn.Identity() if features == spec.channels else conv(len(spec.shape), features, spec.channels, 1)
    if len(spec.shape) != 1:
        raise MusicaeError(f"[model] recurrent needs sequences, not windows of shape {spec.shape}; set it to 0")
    return StepHead(features, spec.channels, recurrent, dropout)


def _patch(
    spec: Spec, variational: bool, latent: int, patch: int, width: int, depth: int, heads: int, recurrent: int,
    step_dropout: float, classes: int,
) -> CodeModel:  # fmt: skip
    encoder = PatchEncoder(spec, patch, width, depth, heads)
    features = recurrent or spec.channels
    decoder = PatchDecoder(spec, latent + classes, features, patch, width, depth, heads)
    head = _head(spec, features, recurrent, step_dropout)
    return CodeModel(encoder, encoder.features, decoder, head, latent, variational, classes)


def patch_vae(
    spec: Spec, latent: int = 128, patch: int = 4, width: int = 192, depth: int = 3, heads: int = 6,
    recurrent: int = 0, step_dropout: float = 0.3, classes: int = 0,
) -> CodeModel:  # fmt: skip
    """Return a VAE of patch Transformers; `recurrent` > 0 adds a step-wise head of that width."""
    return _patch(spec, True, latent, patch, width, depth, heads, recurrent, step_dropout, classes)


def patch_ae(
    spec: Spec, latent: int = 128, patch: int = 4, width: int = 192, depth: int = 3, heads: int = 6,
    recurrent: int = 0, step_dropout: float = 0.3, classes: int = 0,
) -> CodeModel:  # fmt: skip
    """Return a plain autoencoder of patch Transformers."""
    return _patch(spec, False, latent, patch, width, depth, heads, recurrent, step_dropout, classes)


def _conv(
    spec: Spec, variational: bool, latent: int, width: int, depth: int, blocks: int, shuffle: int, dense: int,
    recurrent: int, step_dropout: float, classes: int, penalty: nn.Module | None = None, levels: int = 0,
    rectified: bool = False,
) -> CodeModel:  # fmt: skip
    encoder = ConvEncoder(spec, width, depth, blocks, shuffle, dense)
    features = recurrent or spec.channels
    decoder = ConvDecoder(spec, latent + classes, features, width, depth, blocks, shuffle, dense)
    head = _head(spec, features, recurrent, step_dropout)
    return CodeModel(encoder, encoder.features, decoder, head, latent, variational, classes, penalty, levels, rectified)


def conv_vae(
    spec: Spec, latent: int = 32, width: int = 32, depth: int = 2, blocks: int = 1, shuffle: int = 1, dense: int = 0,
    recurrent: int = 0, step_dropout: float = 0.3, classes: int = 0,
) -> CodeModel:  # fmt: skip
    """Return a VAE of residual convolutions, 1-D or 2-D as the data is."""
    return _conv(spec, True, latent, width, depth, blocks, shuffle, dense, recurrent, step_dropout, classes)


def conv_ae(
    spec: Spec, latent: int = 32, width: int = 32, depth: int = 2, blocks: int = 1, shuffle: int = 1, dense: int = 0,
    recurrent: int = 0, step_dropout: float = 0.3, classes: int = 0,
) -> CodeModel:  # fmt: skip
    """Return a plain autoencoder of residual convolutions."""
    return _conv(spec, False, latent, width, depth, blocks, shuffle, dense, recurrent, step_dropout, classes)


def sparse_ae(
    spec: Spec, latent: int = 256, width: int = 32, depth: int = 2, blocks: int = 1, shuffle: int = 1, dense: int = 0,
    sparsity: float = 0.01, classes: int = 0,
) -> CodeModel:  # fmt: skip
    """Return an autoencoder of residual convolutions with codes of which many numbers are 0, none below.

    It pays `sparsity` for each unit of its code's L1 norm (see `Sparsity`).
    """
    penalty = Sparsity(sparsity)
    return _conv(spec, False, latent, width, depth, blocks, shuffle, dense, 0, 0.0, classes, penalty, rectified=True)


def adversarial_ae(
    spec: Spec, latent: int = 8, width: int = 32, depth: int = 2, blocks: int = 1, shuffle: int = 1, dense: int = 0,
    adversary: int = 256, weight: float = 0.05, classes: int = 0,
) -> CodeModel:  # fmt: skip
    """Return an autoencoder whose codes a discriminator of width `adversary` keeps near N(0, 1)."""
    penalty = Adversary(latent, adversary, weight)
    return _conv(spec, False, latent, width, depth, blocks, shuffle, dense, 0, 0.0, classes, penalty)


def fsq_ae(
    spec: Spec, latent: int = 32, width: int = 32, depth: int = 2, blocks: int = 1, shuffle: int = 1, dense: int = 0,
    levels: int = 8, classes: int = 0,
) -> CodeModel:  # fmt: skip
    """Return an autoencoder of residual convolutions whose code has `latent` numbers of `levels` values each."""
    if levels < 2:
        raise MusicaeError(f"[model] levels must be 2 or more, not {levels}")
    return _conv(spec, False, latent, width, depth, blocks, shuffle, dense, 0, 0.0, classes, levels=levels)
