"""A plain autoencoder of patch Transformers."""

from __future__ import annotations

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, PatchShape, Steps, patch_model
from musicae.ranges import Depth, Share, Size, SizeOrNone

__all__ = ["patch_ae"]


def patch_ae(
    spec: Spec,
    latent: Size = 128,
    patch: Size = 4,
    width: Size = 192,
    depth: Depth = 3,
    heads: Size = 6,
    gru_width: SizeOrNone = 0,
    step_dropout: Share = 0.3,
    classes: SizeOrNone = 0,
) -> CodeModel:
    """Return a plain autoencoder of patch Transformers. The settings are those of `patch_vae`."""
    code = Code(latent, classes=classes)
    return patch_model(spec, code, PatchShape(patch, width, depth, heads), Steps(gru_width, step_dropout))
