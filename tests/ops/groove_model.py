"""A model of grooves whose code is the groove as it is played: what is not known of one is always the same."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from musicae import preset
from musicae.adapters.groove import Groove
from musicae.codec import Codec
from musicae.core import Latent, Model, Sample, Spec
from musicae.tensors.groove import DRUMS, HITS, OFFSETS, TAP, VELOCITIES
from musicae.tensors.likelihoods.joint import Joint

LOUD, LATE, ANSWER = 0.5, 0.125, 1  # What it plays where it knows no better, and the drum it answers taps with.


class Drummer(Model):
    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec, self.latent_size = spec, math.prod(spec.full_shape)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        hits, loud, offset = x[:, HITS], x[:, VELOCITIES], x[:, OFFSETS]
        answer = (torch.arange(DRUMS) == ANSWER).float().view(1, -1, 1)
        hits = torch.where(hits == TAP, answer, hits)
        flat = hits * (loud == 0)
        mean = torch.cat([hits, loud * hits + LOUD * flat, offset * hits + LATE * flat], dim=1)
        return Latent(mean.flatten(1), torch.full_like(mean.flatten(1), -20.0))

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        made = z.view(-1, *self.spec.full_shape).clone()
        made[:, HITS] -= 0.5
        return made


def drummer() -> Codec:
    adapter = Groove()
    groups = {name: {"scale": 0.1, "where": "drums"} for name in ("drums_velocity", "drums_offset")}
    recipe = preset.Preset("drummer", {"adapter": {"name": "groove"}})
    return Codec(recipe, adapter, Drummer(adapter.spec), Joint(groups).bind(adapter.spec))


def beat(*hits: tuple[int, int, float, float], length: int = 32) -> Tensor:
    """Return a groove ``(27, length)`` of hits ``(step, drum, loudness, offset)``."""
    made = torch.zeros(3 * DRUMS, length)
    for step, drum, loud, offset in hits:
        made[HITS][drum, step], made[VELOCITIES][drum, step], made[OFFSETS][drum, step] = 1.0, loud, offset
    return made


def written(path: Path, tensor: Tensor) -> Path:
    adapter = Groove()
    adapter.write(Sample(tensor, adapter.blank()), path)
    return path
