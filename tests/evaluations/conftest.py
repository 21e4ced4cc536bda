"""Pictures without files, and codecs whose figures are known."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from musicae import codec
from musicae.core import ConditionSpec, Latent, Model, Windows
from musicae.preset import Preset


class Whole(Model):
    """Keeps everything: the code is the picture, a point, or a Gaussian of `std`; its head knows nothing more."""

    def __init__(self, shape: tuple[int, ...], std: float = 0.0, classes: int = 0) -> None:
        super().__init__()
        self.shape, self.std = shape, std
        self.condition = ConditionSpec(classes, classes=True) if classes else None
        self.latent_size = math.prod(shape)

    def encode(self, x: Any, cond: Any = None) -> Latent:
        mean = x.flatten(1)
        return Latent(mean, torch.full_like(mean, 2 * math.log(self.std)) if self.std else None)

    def params(self, z: Any, x: Any = None, cond: Any = None) -> Any:
        return z.view(-1, *self.shape)


class Doubtful(Model):
    """Knows nothing: a code that says nothing (or all of the prior), logits of zero everywhere."""

    def __init__(self, shape: tuple[int, ...], size: int = 3) -> None:
        super().__init__()
        self.shape, self.latent_size = shape, size

    def encode(self, x: Any, cond: Any = None) -> Latent:
        nothing = torch.zeros(len(x), self.latent_size)
        return Latent(nothing, nothing.clone())

    def params(self, z: Any, x: Any = None, cond: Any = None) -> Any:
        return torch.zeros(len(z), *self.shape)


class Echo(Model):
    """Restores nothing: gives back what it is given."""

    restores = True

    def restore(self, x: Any, cond: Any = None) -> Any:
        return x


def made(model: Any, likelihood: str = "gaussian", channels: int = 1, size: int = 8, **sections: Any) -> codec.Codec:
    """Return a codec of pictures around `model`."""
    adapter = {"name": "image", "channels": channels, "height": size, "width": size, "likelihood": likelihood}
    small = {"name": "ae", "width": 4, "latent": 2, "depth": 1}
    parts = codec.build(Preset("made", {"adapter": adapter, "model": small, **sections}))
    parts.model = model
    return parts


def drawn(n: int, size: int = 8, seed: int = 0, channels: int = 1, classes: int = 3) -> Windows:
    """Return `n` pictures of a bright bar, the class of which is where it stands."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (n,), generator=rng)
    data = torch.randint(0, 60, (n, channels, size, size), generator=rng, dtype=torch.uint8)
    for i, label in enumerate(labels.tolist()):
        data[i, :, :, 2 * label : 2 * label + 2] += 150
    return Windows(data, torch.arange(n), channels, labels=labels, levels=255)


class Kit:
    """What the tests of pictures take from here, since they do not import each other."""

    Whole, Doubtful, Echo = Whole, Doubtful, Echo
    made, drawn = staticmethod(made), staticmethod(drawn)


@pytest.fixture
def kit() -> type[Kit]:
    """Models, codecs and pictures whose figures are known."""
    return Kit
