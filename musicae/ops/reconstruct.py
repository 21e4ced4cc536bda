"""Encode a file and decode it again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.ops.choose import codec_for
from musicae.ops.conditions import Label, condition
from musicae.ops.inputs import read_all, rereadable
from musicae.ops.notebook import Block, Shown, quietly

__all__ = ["Reconstruction", "reconstruct"]

_LEAST_ERROR = 1e-10  # Mean squared error below which a picture came back whole: 100 dB.


@dataclass
class Reconstruction:
    """An input after encoding and decoding; `accuracy` is the share of its places that came back the same.

    `psnr` is in decibels over a range of 0 to 1, for pictures only.
    """

    codec: Codec
    sample: Sample
    accuracy: float
    remarks: list[str] = field(default_factory=list)
    psnr: float | None = None

    def _repr_html_(self) -> str | None:
        right = f"{self.accuracy:.1%} came back right"
        block = Block(self.codec.adapter, [self.sample])
        return quietly(lambda: Shown("A reconstruction", self.codec.preset.name, [block], lines=[right]))


def reconstruct(
    source: Source, *, preset: Codec | str | None = None, label: Label | None = None, **read_options: Any
) -> Reconstruction:
    """Encode a file (a path, a stream or a sample) and decode it again, to see what a preset keeps of it.

    `accuracy` is the share of the places along ``*S`` with all their channels right, over the file
    without its padding; for real values, and for pictures, it is the share of the variance. Of a song it is the mean
    over its parts of the share of steps that are right.
    `label` is the file's class, a number or a name, for a conditional preset.
    Raise MusicaeError as `interpolate` does.
    """
    source = rereadable(source)
    codec = codec_for(preset, source)
    (one,), remarks = read_all(codec, [source], read_options)
    given = codec.split(one)
    cond = condition(codec, label, len(given), one)
    decoded = codec.decode(codec.encode(given, cond, refine=True).mean, cond=cond)
    tensor = codec.join(decoded, one.hop, one.tensor.shape[-1])
    accuracy, psnr = codec.likelihood.accuracy(one.tensor[None], tensor[None]).item(), None
    if not codec.likelihood.discrete and len(codec.spec.shape) > 1:
        error = (tensor - one.tensor).square().mean().item()
        psnr = -10 * math.log10(max(error, _LEAST_ERROR))
    return Reconstruction(codec, replace(one, tensor=tensor, remarks=[]), accuracy, remarks, psnr)
