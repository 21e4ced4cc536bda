"""A plain autoencoder of residual convolutions."""

from __future__ import annotations

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, Steps, conv_model

__all__ = ["ae"]


def ae(
    spec: Spec,
    latent: int = 32,
    width: int = 32,
    depth: int = 2,
    blocks: int = 1,
    shuffle: int = 1,
    dense: int = 0,
    gru_width: int = 0,
    step_dropout: float = 0.3,
    classes: int = 0,
) -> CodeModel:
    """Return a plain autoencoder of residual convolutions, 1-D or 2-D like the data.

    The settings are those of `vae`.
    """
    code = Code(latent, classes=classes)
    return conv_model(spec, code, ConvShape(width, depth, blocks, shuffle, dense), Steps(gru_width, step_dropout))
