"""What the suites share: means with their spread, random choices of windows, principal components."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from musicae import splits
from musicae.codec import Codec
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.tensors.random import generator

__all__ = [
    "Figures",
    "all_of",
    "choose",
    "mean",
    "other_set",
    "pca",
    "rivals",
]

Figures = dict[str, float]


def mean(figures: Figures, name: str, values: Tensor) -> None:
    """Put the mean of `values` ``(N,)`` into `figures` under `name`, and its spread beside it."""
    figures[name] = values.mean().item()
    figures[f"spread_{name}"] = 1.96 * values.std().item() / math.sqrt(len(values)) if len(values) > 1 else 0.0


def rivals(figures: Figures, name: str, reached: Mapping[str, float]) -> None:
    """Put what each rival of `name` (``psnr_X``) reaches under ``floor_<rival>_X``, the best under `floor_name`."""
    for rival, value in reached.items():
        figures[f"floor_{rival}{name.removeprefix('psnr')}"] = value
    if reached:
        figures[f"floor_{name}"] = max(reached.values())


def choose(windows: Windows, n: int, seed: int) -> Windows:
    """Return `n` of the windows at random, or all of them in another order where there are fewer."""
    return windows.subset(torch.randperm(len(windows), generator=generator(seed, 17))[:n])


def all_of(windows: Windows) -> Tensor:
    """Return all the windows as one batch ``(N, C, *S)``."""
    return windows.batch(torch.arange(len(windows)))


def pca(known: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the centre ``(D,)`` and the first `n` principal components ``(D, n)`` of `known` ``(N, D)``."""
    centre = known.mean(0)
    known = known - centre
    if len(known) < known.shape[1]:
        return centre, torch.linalg.svd(known, full_matrices=False).Vh[:n].T
    _, vectors = torch.linalg.eigh((known.T @ known).double())
    return centre, vectors[:, -n:].float()


def other_set(codec: Codec, name: str, folders: Mapping[str, Path]) -> Windows | None:
    """Return the test split of another data set as the codec's adapter sees it.

    None, with a warning that says why, where it cannot be had and no folder was named for it;
    MusicaeError where one was.
    """
    recipe = Preset(codec.preset.name, {**codec.preset.sections, "dataset": {"name": name}})
    try:
        return splits.load(recipe, codec.adapter, "test", {key: path for key, path in folders.items() if key == name})
    except MusicaeError as error:
        if name in folders:
            raise
        text = "no figures on %s (%s); name its folder with --data %s=DIR"
        logging.getLogger("musicae").warning(text, name, error, name)
        return None
