"""An autoencoder with a quantised code (finite scalar quantisation, Mentzer et al. 2024)."""

from __future__ import annotations

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, conv_model

__all__ = ["fsq_ae"]


def fsq_ae(
    spec: Spec,
    latent: int = 32,
    width: int = 32,
    depth: int = 2,
    blocks: int = 1,
    shuffle: int = 1,
    dense: int = 0,
    levels: int = 8,
    classes: int = 0,
) -> CodeModel:
    """Return an autoencoder of residual convolutions whose code has `latent` numbers of `levels` values each.

    The other settings are those of `vae`.
    """
    if levels < 2:
        raise MusicaeError(f"[model] levels must be 2 or more, not {levels}")
    code = Code(latent, classes=classes, levels=levels)
    return conv_model(spec, code, ConvShape(width, depth, blocks, shuffle, dense))
