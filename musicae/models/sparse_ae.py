"""A sparse autoencoder of residual convolutions."""

from __future__ import annotations

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, conv_model
from musicae.models.layers.penalties import Sparsity

__all__ = ["sparse_ae"]


def sparse_ae(
    spec: Spec,
    latent: int = 256,
    width: int = 32,
    depth: int = 2,
    blocks: int = 1,
    shuffle: int = 1,
    dense: int = 0,
    sparsity: float = 0.01,
    classes: int = 0,
) -> CodeModel:
    """Return an autoencoder of residual convolutions whose codes have many zeros and no negative numbers.

    The L1 norm of its code counts in the loss `sparsity` times (see `Sparsity`). The other settings are those of `vae`.
    """
    code = Code(latent, classes=classes, rectified=True)
    shape = ConvShape(width, depth, blocks, shuffle, dense)
    return conv_model(spec, code, shape, regularizer=Sparsity(sparsity))
