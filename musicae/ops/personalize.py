"""A model of one's own: a trained preset whose prior is fitted to some files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicae import registry
from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import MusicaeError
from musicae.ops.choose import codec_for, gather
from musicae.ops.conditions import condition
from musicae.ops.folder_codes import check_codes
from musicae.ops.inputs import read
from musicae.preset import is_name
from musicae.tensors.random import generator

__all__ = ["Personal", "personalize"]

Report = Callable[[int, int], None]
"""Called with how many files are done, and how many there are."""

_LEAST = 3  # Files that make a person.
_MOST_WINDOWS = 6000  # That are taken of all files together; a file gives an equal share at most.
_FEW_WINDOWS = 32  # That a file gives in any case, if it has them.
_CODES, _MOST_COPIES = 4000, 8  # How many codes are wanted, and how often a window is changed at random for them.
_MOST_CENTRES = 2000
_VARIETY, _SHRINKAGE = 0.7, 0.1
_NOISE = 0.5  # Of the posterior's standard deviation: with all of it intervals are too large, with none it copies more.


@dataclass(frozen=True)
class Personal:
    """A personal codec, of how many files and windows it is made, and the files that could not be read, and why."""

    codec: Codec
    files: int
    windows: int
    skipped: dict[str, str] = field(default_factory=dict)


def personalize(
    preset: Codec | str,
    *sources: Source,
    name: str = "mine",
    variety: float = _VARIETY,
    seed: int = 0,
    report: Report | None = None,
    **read_options: Any,
) -> Personal:
    """Return a codec that draws what is like some files (for a folder, all in it): `preset`, its prior fitted to them.

    What it encodes and decodes is as before. Half of the codes are those of the files, half those of their windows
    changed as in training (transposed, say). `variety` is the bandwidth of the prior, over 0 to 1: near 0 draws come
    close to the files' own windows, at 1 they are freest, see `musicae.models.kernels.KernelPrior`. Raise MusicaeError
    for a preset without codes, files that cannot be read unless others can, and fewer than three that can.
    """
    if not 0 < variety <= 1:
        raise MusicaeError(f"the variety must be over 0 and at most 1, not {variety}")
    if not is_name(name):
        raise MusicaeError(f"{registry.shown(name)} is no name for a preset; choose one like my-tunes")
    codec = codec_for(preset)
    check_codes(codec)
    _, files = gather(codec, *sources)
    samples, skipped = [], {}
    for i, (source, called) in enumerate(files):
        if report:
            report(i, len(files))
        try:
            samples.append(read(codec, source, **read_options))
        except MusicaeError as error:
            skipped[str(source if isinstance(source, Path) else called)] = str(error)
    if report:
        report(len(files), len(files))
    if len(samples) < _LEAST:
        why = f"; the first that cannot: {next(iter(skipped.values()))}" if skipped else ""
        raise MusicaeError(f"{len(samples)} files can be read, and a model of one's own takes {_LEAST} or more{why}")
    x, cond = _windows_of(codec, samples, seed)
    codes = _codes(codec, x, cond, seed)
    active = codec.prior.active_size if codec.prior else codec.model.latent_size
    settings = {"count": min(len(codes), _MOST_CENTRES), "bandwidth": variety, "active_size": active}
    section = {"name": "kernels", **registry.resolve("priors", "kernels", settings)}
    prior = registry.build("priors", "kernels", codec.model.latent_size, **settings)
    prior.fit(codes, _SHRINKAGE)
    recipe = replace(
        codec.preset,
        name=name,
        description=f"{codec.preset.name}, fitted to {len(samples)} files.",
        sections={**codec.preset.sections, "prior": section},
        default_for=(),
    )
    made = replace(codec, preset=recipe, prior=prior.to(codec.device).eval())
    return Personal(made, len(samples), len(x), skipped)


def _windows_of(codec: Codec, samples: list[Sample], seed: int) -> tuple[Tensor, Tensor | None]:
    """Return windows ``(N, C, *S)`` of all samples, at every half of their hop, and their conditions.

    Those that are padded are left out where a sample has others, and so are those with nothing in them.
    """
    most, size = max(_FEW_WINDOWS, _MOST_WINDOWS // len(samples)), codec.spec.shape[-1]
    blank, parts, conds = codec.blank_step(), [], []
    for i, one in enumerate(samples):
        halved = replace(one, hop=max(1, (one.hop or size) // 2))
        cut = codec.split(halved)
        given = condition(codec, None, len(cut), halved)
        full = max(1, (one.tensor.shape[-1] - size) // (halved.hop or size) + 1)
        something = (cut[:full] != blank).flatten(1).any(1).nonzero().squeeze(1)
        order = torch.randperm(len(something), generator=generator(seed, 61, i))[:most]
        parts.append(cut[something[order]])
        if given is not None:
            conds.append(given[something[order]])
    x = torch.cat(parts)
    if len(x) < 2:
        raise MusicaeError("there is nothing in these files but silence; give others")
    return x, torch.cat(conds) if conds else None


def _codes(codec: Codec, x: Tensor, cond: Tensor | None, seed: int) -> Tensor:
    """Return the codes of windows and of changed copies of them, ``(M, D)``, in random order."""
    copies = min(_MOST_COPIES, max(2, math.ceil(_CODES / len(x))))
    means = []
    for i in range(copies):
        changed = (x, cond) if i % 2 == 0 else codec.adapter.augment_with(x, cond, generator(seed, 62, i))
        latent = codec.encode(*changed)
        means.append(latent.sample(generator(seed, 63, i), _NOISE))
    codes = torch.cat(means)
    return codes[torch.randperm(len(codes), generator=generator(seed, 64))]
