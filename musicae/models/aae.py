"""An adversarial autoencoder of residual convolutions (Makhzani et al. 2016)."""

from __future__ import annotations

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, conv_model
from musicae.models.layers.penalties import Adversary

__all__ = ["aae"]


def aae(
    spec: Spec,
    latent: int = 8,
    width: int = 32,
    depth: int = 2,
    blocks: int = 1,
    shuffle: int = 1,
    dense: int = 0,
    discriminator_width: int = 256,
    adversarial_weight: float = 0.05,
    classes: int = 0,
) -> CodeModel:
    """Return an autoencoder whose codes a discriminator keeps near N(0, 1).

    The encoder's loss against the discriminator counts `adversarial_weight` times (see `Adversary`). The other settings
    are those of `vae`.
    """
    adversary = Adversary(latent, discriminator_width, adversarial_weight)
    code, shape = Code(latent, classes=classes), ConvShape(width, depth, blocks, shuffle, dense)
    return conv_model(spec, code, shape, regularizer=adversary)
