"""A variational autoencoder of residual convolutions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, Steps, conv_model
from musicae.ranges import Depth, Share, Size, SizeOrNone

__all__ = ["vae"]


def vae(
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
    """Return a VAE of residual convolutions, 1-D or 2-D like the data (Kingma and Welling 2014).

    Parameters
    ----------
    spec : the windows.
    latent : size of the code.
    width : channels at the first size; they double at each halving.
    depth : number of halvings.
    blocks : residual blocks at each size.
    shuffle : squares of that many pixels a side become channels first (two axes only).
    dense : width of the fully connected layers next to the code; 0 for none.
    gru_width : width of a GRU head that writes step by step (one axis only); 0 writes all steps at once.
    step_dropout : share of the previous steps that is hidden from that head in training.
    classes : number of classes of a conditional model; 0 for one that is not conditional.
    """
    code = Code(latent, variational=True, classes=classes)
    return conv_model(spec, code, ConvShape(width, depth, blocks, shuffle, dense), Steps(gru_width, step_dropout))
