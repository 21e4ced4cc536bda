"""Variations of a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.ops.choose import codec_for
from musicae.ops.conditions import Label, condition
from musicae.ops.inputs import check_number, read_all, rereadable
from musicae.tensors import latent

__all__ = ["vary"]


def vary(
    source: Source,
    similarity: float = 0.7,
    n: int = 1,
    *,
    preset: Codec | str | None = None,
    seed: int = 0,
    label: Label | None = None,
    **read_options: Any,
) -> list[Sample]:
    """Return `n` variations of a file: between its own place in the prior's noise (similarity 1) and a draw (0).

    All windows of one variation move towards the same draw, so that they go on fitting together.
    `source` is a path, a stream or a sample; `label` is its class, for a conditional preset. The first variation's
    `remarks` explain each choice. Raise MusicaeError as `interpolate` does.
    """
    check_number("the number of results", n, at_least=1)
    source = rereadable(source)
    codec = codec_for(preset, source)
    (one,), remarks = read_all(codec, [source], read_options)
    given = codec.split(one)
    cond = condition(codec, label, len(given), one)
    place = codec.to_noise(codec.encode(given, cond).mean, cond)
    variations = []
    for i, draw in enumerate(codec.noise(n, seed)):
        code = codec.from_noise(latent.near(place, similarity, draw.expand_as(place)), cond)
        tensor = codec.join(codec.decode(code, cond=cond), one.hop, one.tensor.shape[-1])
        variations.append(replace(one, tensor=tensor, remarks=remarks if i == 0 else []))
    return variations
