"""The ranges of settings, written where a part declares them: ``def vae(spec: Spec, latent: Size = 32)``.

A range limits one setting; the part checks whether several fit together. A plugin may use these, or declare its own, as
``Annotated[int, msgspec.Meta(ge=1, le=64)]``. See `musicae.registry.fill`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

__all__ = [
    "Count",
    "CountOrNone",
    "Decibels",
    "Depth",
    "Frequency",
    "Level",
    "PartName",
    "Positive",
    "SampleRate",
    "Seconds",
    "Seed",
    "Share",
    "Size",
    "SizeOrNone",
    "Steps",
    "Weight",
]

Size = Annotated[int, Meta(ge=1, le=65_536)]
"""A number of channels, bins, samples of a hop ..."""

SizeOrNone = Annotated[int, Meta(ge=0, le=65_536)]
"""A size, or 0 for none."""

Depth = Annotated[int, Meta(ge=0, le=100)]
"""How often something is repeated in a network."""

Count = Annotated[int, Meta(ge=1, le=10**9)]
"""How many there are of something."""

CountOrNone = Annotated[int, Meta(ge=0, le=10**9)]
"""A count, or 0 for none."""

Steps = Annotated[int, Meta(ge=1, le=2**24)]
"""The length of a window."""

Seed = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Any number of 64 bits."""

SampleRate = Annotated[int, Meta(ge=1, le=768_000)]
"""In Hz."""

Frequency = Annotated[float, Meta(ge=0, le=384_000)]
"""In Hz; 0 for none."""

Share = Annotated[float, Meta(ge=0, le=1)]
"""A part of a whole."""

Weight = Annotated[float, Meta(ge=0, le=1e9)]
"""How much something counts; 0 for not at all."""

Positive = Annotated[float, Meta(gt=0, le=1e9)]
"""A number that divides."""

Level = Annotated[float, Meta(ge=-1e9, le=1e9)]
"""Any number of a usual size."""

Decibels = Annotated[float, Meta(ge=-1000, le=1000)]
"""A level, or a difference of levels."""

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
"""A duration, a day at most."""

PartName = Annotated[
    str, Meta(max_length=100, pattern=r"^(?![.~-])[^/\\:\x00-\x1f\ud800-\udfff]*$(?<!\.toml)(?<!\.safetensors)")
]
"""The name of a preset or a data set, and no path: a checkpoint of anybody's opens no other file."""
