"""Shared by the suites: means with their spread, random choices, principal components."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

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
    "limited",
    "mean",
    "other_set",
    "pca",
    "pooled",
    "ratio",
    "report",
    "rivals",
]

Figures = dict[str, float]

_MAX_EXACT, _SPARE = 4096, 32  # Features up to which components are exact; more of them that are sought besides.

T = TypeVar("T")


def mean(figures: Figures, name: str, values: Tensor) -> None:
    """Add the mean of `values` ``(N,)`` to `figures` as `name`, and its spread as ``spread_<name>``."""
    figures[name] = values.mean().item()
    figures[f"spread_{name}"] = 1.96 * values.std().item() / math.sqrt(len(values)) if len(values) > 1 else 0.0


def ratio(figures: Figures, name: str, top: Tensor, bottom: Tensor) -> None:
    """Add the sum of `top` ``(N,)`` over that of `bottom` to `figures`, if that is not 0, with its spread.

    The spread is that of a ratio of sums over N independent windows, by linearisation (Cochran 1977, sec. 6.4).
    """
    top, bottom = top.double(), bottom.double()
    if not bottom.any():
        return
    value = top.sum() / bottom.sum()
    figures[name] = value.item()
    figures[f"spread_{name}"] = 0.0
    if len(top) > 1:
        rest = (top - value * bottom).square().sum() * len(top) / (len(top) - 1)
        figures[f"spread_{name}"] = 1.96 * (rest.sqrt() / bottom.sum()).item()


def pooled(figures: Figures, prefix: str, name: str, top: Tensor, bottom: Tensor) -> None:
    """Add a ratio of sums as `ratio` does; without its spread, if the `prefix` is a rival's."""
    found: Figures = {}
    ratio(found, name, top, bottom)
    if prefix and name in found:
        figures[f"{prefix}{name}"] = found[name]
    elif not prefix:
        figures |= found


def report(figures: Figures, prefix: str, name: str, values: Tensor) -> None:
    """Add the mean of `values` ``(N,)`` to `figures`; with its spread, unless the `prefix` is a rival's."""
    if prefix:
        figures[f"{prefix}{name}"] = values.mean().item()
    else:
        mean(figures, name, values)


def rivals(figures: Figures, name: str, reached: Mapping[str, float]) -> None:
    """Add the figure of each rival of `name` (``psnr_X``) as ``floor_<rival>_X``, and the best as ``floor_<name>``."""
    for rival, value in reached.items():
        figures[f"floor_{rival}{name.removeprefix('psnr')}"] = value
    if reached:
        figures[f"floor_{name}"] = max(reached.values())


def choose(windows: Windows, n: int, seed: int) -> Windows:
    """Return `n` random windows; if there are fewer, all of them in random order."""
    return windows.subset(torch.randperm(len(windows), generator=generator(seed, 17))[:n])


def limited(items: list[T], limit: int | None, seed: int) -> list[T]:
    """Return `limit` random items in their order, or all of them."""
    if limit is None:
        return items
    chosen = torch.randperm(len(items), generator=generator(seed, 17))[:limit].sort().values
    return [items[i] for i in chosen.tolist()]


def all_of(windows: Windows) -> Tensor:
    """Return all the windows as one batch ``(N, C, *S)``."""
    return windows.batch(torch.arange(len(windows)))


def pca(x: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the mean ``(D,)`` and the first `n` principal components ``(D, n)`` of `x` ``(N, D)``.

    Of thousands of features they are found by random projections (Halko, Martinsson and Tropp 2011).
    """
    centre = x.mean(0)
    x = x - centre
    if min(x.shape) > _MAX_EXACT and 2 * n < min(x.shape):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return centre, torch.svd_lowrank(x, n + _SPARE, niter=4)[2][:, :n]
    if len(x) < x.shape[1]:  # What x.T makes of the components of the rows.
        _, vectors = torch.linalg.eigh((x @ x.T).double())
        return centre, torch.linalg.qr(x.T @ vectors.flip(1)[:, :n].float()).Q
    _, vectors = torch.linalg.eigh((x.T @ x).double())
    return centre, vectors[:, -n:].float()


def other_set(codec: Codec, name: str, folders: Mapping[str, Path]) -> Windows | None:
    """Return the test split of another data set as the codec's adapter sees it.

    If it cannot be read, log a warning and return None; raise MusicaeError if its folder was named.
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
