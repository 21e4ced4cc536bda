"""A plain autoencoder of residual convolutions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, Steps, conv_model
from musicae.ranges import Depth, Share, Size, SizeOrNone

__all__ = ["ae"]


def ae(
    spec: Spec,
    latent: Size = 32,
    width: Size = 32,
    depth: Depth = 2,
    blocks: Depth = 1,
    shuffle: Annotated[int, Meta(ge=1, le=64)] = 1,
    dense: SizeOrNone = 0,
    gru_width: SizeOrNone = 0,
    step_dropout: Share = 0.3,
    classes: SizeOrNone = 0,
) -> CodeModel:
    """Return a plain autoencoder of residual convolutions, 1-D or 2-D like the data.

    The settings are those of `vae`.
    """
    code = Code(latent, classes=classes)
    return conv_model(spec, code, ConvShape(width, depth, blocks, shuffle, dense), Steps(gru_width, step_dropout))
