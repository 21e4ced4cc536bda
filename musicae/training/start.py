"""The weights that a fine-tuning starts from."""

from __future__ import annotations

from musicae import checkpoint, hub
from musicae.codec import Codec
from musicae.errors import MusicaeError

__all__ = ["start_from"]


def start_from(codec: Codec, name: str) -> None:
    """Give an untrained codec the weights of a trained preset: a name, or the path of a ``.safetensors`` file.

    The two models must have the same settings; a prior that has others starts untrained.
    Raise MusicaeError where a tensor of the model is missing there, or has another shape.
    """
    path = hub.weights(name)
    trained = checkpoint.read(path)[1]
    for part, network in codec.networks().named_children():
        own = network.state_dict()
        found = {key: trained[f"{part}.{key}"] for key in own if f"{part}.{key}" in trained}
        if checkpoint.fits(found, own):
            network.load_state_dict(found)
        elif part == "model":
            key = next(key for key in own if key not in found or found[key].shape != own[key].shape)
            there = f"of shape {tuple(found[key].shape)}" if key in found else "missing"
            raise MusicaeError(
                f"the weights of '{name}' do not fit the model of '{codec.preset.name}': {key:.60} is {there} there, "
                f"and of shape {tuple(own[key].shape)} here; start from a preset with the same [model]"
            )
