"""An adversarial autoencoder of residual convolutions (Makhzani et al. 2016)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, conv_model
from musicae.models.layers.penalties import Adversary
from musicae.ranges import Depth, Size, SizeOrNone, Weight

__all__ = ["aae"]


def aae(
    spec: Spec,
    latent: Size = 8,
    width: Size = 32,
    depth: Depth = 2,
    blocks: Depth = 1,
    shuffle: Annotated[int, Meta(ge=1, le=64)] = 1,
    dense: SizeOrNone = 0,
    discriminator_width: Size = 256,
    adversarial_weight: Weight = 0.05,
    classes: SizeOrNone = 0,
) -> CodeModel:
    """Return an autoencoder whose codes a discriminator keeps near N(0, 1).

    The encoder's loss against the discriminator counts `adversarial_weight` times (see `Adversary`). The other settings
    are those of `vae`.
    """
    adversary = Adversary(latent, discriminator_width, adversarial_weight)
    code, shape = Code(latent, classes=classes), ConvShape(width, depth, blocks, shuffle, dense)
    return conv_model(spec, code, shape, regularizer=adversary)
