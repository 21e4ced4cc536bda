"""An autoencoder with a quantised code (finite scalar quantisation, Mentzer et al. 2024)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, conv_model
from musicae.ranges import Depth, Size, SizeOrNone

__all__ = ["fsq_ae"]


def fsq_ae(
    spec: Spec,
    latent: Size = 32,
    width: Size = 32,
    depth: Depth = 2,
    blocks: Depth = 1,
    shuffle: Annotated[int, Meta(ge=1, le=64)] = 1,
    dense: SizeOrNone = 0,
    levels: Size = 8,
    classes: SizeOrNone = 0,
) -> CodeModel:
    """Return an autoencoder of residual convolutions whose code has `latent` numbers of `levels` values each.

    The other settings are those of `vae`.
    """
    if levels < 2:
        raise MusicaeError(f"[model] levels must be 2 or more, not {levels}")
    code = Code(latent, classes=classes, levels=levels)
    return conv_model(spec, code, ConvShape(width, depth, blocks, shuffle, dense))
