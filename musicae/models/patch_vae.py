"""A variational autoencoder of patch Transformers."""

from __future__ import annotations

from musicae.core import Spec
from musicae.models.layers.code_model import Code, CodeModel, PatchShape, Steps, patch_model
from musicae.ranges import CountOrNone, Depth, Share, Size, SizeOrNone, Weight

__all__ = ["patch_vae"]


def patch_vae(
    spec: Spec,
    latent: Size = 128,
    patch: Size = 4,
    width: Size = 192,
    depth: Depth = 3,
    heads: Size = 6,
    gru_width: SizeOrNone = 0,
    step_dropout: Share = 0.3,
    classes: SizeOrNone = 0,
    along: SizeOrNone = 0,
    along_dropout: Share = 0.5,
    guidance: Weight = 1.5,
    linear: bool = False,
    balanced: bool = False,
    dropout: Share = 0.0,
    refine_steps: CountOrNone = 20,
) -> CodeModel:
    """Return a VAE of patch Transformers.

    Parameters
    ----------
    spec : the windows, with one or two spatial axes that `patch` divides.
    latent : size of the code.
    patch : places along each axis in a token.
    width, depth, heads : of the Transformers.
    gru_width : width of a GRU head that writes step by step (one axis only); 0 writes all steps at once.
    step_dropout : share of the previous steps that is hidden from that head in training.
    classes : number of classes of a conditional model; 0 for one that is not conditional.
    along : channels of a condition that runs along with the windows, such as 24 for chords; 0 for none.
    along_dropout : share of the training examples from which it is withheld.
    guidance : how much more than that condition alone says is decoded: 1 goes twice as far from what the model says
        without it (Ho and Salimans 2022, "Classifier-free diffusion guidance"). As many 0/1 values are 1 as without.
    linear : add to the Transformers linear maps from windows to codes and back, which start as the principal components
        of the data; such a model learns many times as fast at first. All steps at once only.
    balanced : weigh groups of real values so that small ones (offsets from a grid) count in these components, too.
    dropout : share of what each layer of the encoder adds that is left out in training, where data are few.
    refine_steps : steps of gradient descent by which a codec may improve the code of a window.
    """
    code = Code(latent, variational=True, classes=classes, along=along, along_dropout=along_dropout, guidance=guidance)
    model = patch_model(
        spec,
        code,
        PatchShape(patch, width, depth, heads, dropout),
        Steps(gru_width, step_dropout),
        linear=linear,
        balanced=balanced,
    )
    model.refine_steps = refine_steps
    return model
