"""A variational autoencoder of residual convolutions."""

from __future__ import annotations

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, ConvShape, Steps, conv_model

__all__ = ["vae"]


def vae(
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
