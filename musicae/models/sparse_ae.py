"""A sparse autoencoder of residual convolutions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, conv_model
from musicae.models.layers.penalties import Sparsity
from musicae.ranges import Depth, Size, SizeOrNone, Weight

__all__ = ["sparse_ae"]


def sparse_ae(
    spec: Spec,
    latent: Size = 256,
    width: Size = 32,
    depth: Depth = 2,
    blocks: Depth = 1,
    shuffle: Annotated[int, Meta(ge=1, le=64)] = 1,
    dense: SizeOrNone = 0,
    sparsity: Weight = 0.01,
    classes: SizeOrNone = 0,
) -> CodeModel:
    """Return an autoencoder of residual convolutions whose codes have many zeros and no negative numbers.

    The L1 norm of its code counts in the loss `sparsity` times (see `Sparsity`). The other settings are those of `vae`.
    """
    code = Code(latent, classes=classes, rectified=True)
    shape = ConvShape(width, depth, blocks, shuffle, dense)
    return conv_model(spec, code, shape, regularizer=Sparsity(sparsity))
