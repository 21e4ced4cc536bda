"""A model whose code is the window itself, so that what comes out of the verbs is known; and one that takes chords."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicae import preset
from musicae.adapters.melody import Melody
from musicae.codec import Codec
from musicae.core import ConditionSpec, Latent, Model, Sample, Spec
from musicae.tensors.likelihoods.categorical import Categorical

SPEC = Melody().spec


class Mirror(Model):
    """A model whose code is the window itself; `offset` is taken off what it gives (0.5 for logits of 0 and 1)."""

    def __init__(self, spec: Spec, offset: float = 0.0) -> None:
        super().__init__()
        self.spec, self.offset = spec, offset
        self.latent_size = spec.channels * spec.shape[0]

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        return Latent(x.flatten(1))

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        return z.unflatten(1, self.spec.full_shape) - self.offset


class Forgetful(Mirror):
    """A model that always gives a rest on the first step of a window."""

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        out = super().params(z, x).clone()
        out[:, :, 0] = 0
        out[:, 0, 0] = 1
        return out


class Chords(Mirror):
    """A model that is told a condition ``(2, T)`` along the steps, and plays class 2 + the larger of its two rows."""

    condition = ConditionSpec(2, along=True)

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        assert cond is not None
        assert cond.shape == (len(z), 2, *self.spec.shape)
        out = torch.zeros(len(z), *self.spec.full_shape)
        out[:, 2:4] = 1 + cond
        return out


def exact(kind: type[Mirror] = Mirror) -> Codec:
    """Return a codec of melodies with such a model."""
    adapter = Melody()
    return Codec(preset.Preset("mirror"), adapter, kind(adapter.spec), Categorical())


def chord_codec() -> Codec:
    """Return a codec of melodies under chords."""
    return exact(Chords)


def line(*tokens: int) -> Tensor:
    """Return a melody one-hot over the channels, ``(C, T)``."""
    return torch.eye(SPEC.channels)[list(tokens)].T.contiguous()


def written(path: Path, tensor: Tensor, **meta: Any) -> Path:
    """Write a melody as a MIDI file and return its path."""
    adapter = Melody()
    adapter.write(Sample(tensor, {**adapter.blank(), **meta}), path)
    return path
