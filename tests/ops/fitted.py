"""Small untrained presets with attributes."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Windows
from musicae.ops import attributes


def melodies(count: int = 60, steps: int = 32) -> Windows:
    """Return windows of random tokens in C major, with few notes and with many."""
    rng = torch.Generator().manual_seed(3)
    scale = torch.tensor([0, 2, 4, 5, 7, 9, 11, 12, 14])
    pitch = 60 - 21 + 2 + scale[torch.randint(9, (count, steps), generator=rng)]
    plays = torch.rand(count, steps, generator=rng) < torch.linspace(0.1, 0.8, count)[:, None]
    return Windows(torch.where(plays, pitch, 1).to(torch.uint8), torch.arange(count), 90)


def fitted_copy(checkpoint: Path, folder: Path) -> Codec:
    """Return a codec of a copy of a checkpoint of melodies, in `folder`, with attributes beside it."""
    path = folder / checkpoint.name
    shutil.copy(checkpoint, path)
    codec = codecs.load(str(path))
    found = attributes.fit(codec, melodies())
    assert found is not None
    attributes.save(codec, found)
    return codec
