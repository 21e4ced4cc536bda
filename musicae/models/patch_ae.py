"""A plain autoencoder of patch Transformers."""

from __future__ import annotations

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, PatchShape, Steps, patch_model

__all__ = ["patch_ae"]


def patch_ae(
    spec: Spec,
    latent: int = 128,
    patch: int = 4,
    width: int = 192,
    depth: int = 3,
    heads: int = 6,
    gru_width: int = 0,
    step_dropout: float = 0.3,
    classes: int = 0,
) -> CodeModel:
    """Return a plain autoencoder of patch Transformers. The settings are those of `patch_vae`."""
    code = Code(latent, classes=classes)
    return patch_model(spec, code, PatchShape(patch, width, depth, heads), Steps(gru_width, step_dropout))
