"""A model of bands whose code is the window itself, and whose bass plays the roots of the chords that it is told."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from musicae import preset
from musicae.adapters.band import Band
from musicae.codec import Codec
from musicae.core import ConditionSpec, Latent, Model, Spec
from musicae.tensors import band as bands
from musicae.tensors.likelihoods.joint import Joint
from musicae.tensors.melody_tokens import FIRST_ONSET

BASS = bands.groups_of("bass")[0]
GROUPS = {
    f"{part}_velocity": {"scale": 0.1, "where": part, "first": first}
    for part, first in (("melody", 2), ("bass", 2), ("harmony", 61), ("drums", 0))
}


class Follower(Model):
    """Told no chords, it gives back what is in the code."""

    condition = ConditionSpec(24, along=True, optional=True)

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec, self.latent_size = spec, math.prod(spec.full_shape)
        self.threshold = torch.zeros(spec.channels, 1)
        for part in ("harmony", "drums"):
            self.threshold[bands.groups_of(part)[0]] = 0.5

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        return Latent(x.flatten(1))

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        made = z.view(-1, *self.spec.full_shape) - self.threshold
        if cond is not None:
            made[:, BASS] = 0.0
            made[:, BASS][:, FIRST_ONSET + 12 : FIRST_ONSET + 24] = 2 * cond[:, :12]
            made[:, BASS][:, :1] = 1.0
        return made


def follower() -> Codec:
    adapter = Band()
    likelihood = Joint(GROUPS).bind(adapter.spec)
    return Codec(preset.Preset("follower", {"adapter": {"name": "band"}}), adapter, Follower(adapter.spec), likelihood)


def roots(tensor: Tensor, bar: int = 16) -> list[int]:
    """Return the pitch class of the bass at the beginning of each bar of ``(C, T)``, -1 where there is none."""
    tokens = tensor[BASS, ::bar].argmax(0)
    low = bands.RANGES["bass"][0]
    return [(token - FIRST_ONSET + low) % 12 if token >= FIRST_ONSET else -1 for token in tokens.tolist()]
