"""How unlike its training data a file looks to a model: an anomaly score, and its percentile there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import data
from .codec import Codec, generator
from .core import Restorer
from .errors import MusicaeError
from .inputs import class_names, cut_to_size, gather, read_all
from .walks import Report

__all__ = ["MEASURES", "Score", "Scores", "anomaly", "score"]

MEASURES = {
    "neg_elbo": "-ELBO, nats a dimension",
    "nll": "negative log-likelihood, nats a dimension",
    "mse": "mean squared error",
}


@dataclass
class Score:
    """A file's score: the higher, the stranger; `percentile` of the training windows (0..100) score less."""

    path: Path
    value: float
    percentile: float


@dataclass
class Scores:
    """The scores of files. `measure` is one of `MEASURES`, `known` ``(n,)`` the scores of training windows, sorted.

    `skipped` are files that cannot be read, with what is wrong.
    """

    codec: Codec
    measure: str
    files: list[Score]
    known: Tensor
    skipped: dict[str, str] = field(default_factory=dict)


def score(
    *paths: Path | str, preset: Codec | str | None = None, folders: Mapping[str, Path] | None = None,
    known: int = 5000, seed: int = 0, report: Report | None = None, **read_options: Any,
) -> Scores:  # fmt: skip
    """Score files (for a folder, all in it) by how well a preset explains them, beside its training data.

    A file's score is the mean over its windows, see `anomaly`. Its percentile is among `known` windows of the
    preset's training split, chosen at random by `seed`; `folders` says where that lies (see `musicae.data.load`).
    A file that cannot be read is skipped where there are others. Raise MusicaeError as `interpolate` does, and
    where the data cannot be found.
    """
    codec, files = gather(preset, *(Path(path) for path in paths))
    measure = _measure(codec)
    train = data.load(codec.preset, codec.adapter, "train", folders or {})
    if not len(train):
        raise MusicaeError("the training split is empty; give more data with --data")
    index = torch.randperm(len(train), generator=generator(seed, 23))[:known]
    ordered = anomaly(codec, cut_to_size(codec, train.batch(index), seed)).sort().values
    made = Scores(codec, measure, [], ordered)
    for i, (path, _) in enumerate(files):
        if report:
            report(i, len(files))
        try:
            (one,), _ = read_all(codec, [path], read_options)
        except MusicaeError as error:
            if len(files) == 1:
                raise
            made.skipped[str(path)] = str(error)
            continue
        value = anomaly(codec, codec.split(one)).mean()
        below = int(torch.searchsorted(ordered, value))
        made.files.append(Score(path, value.item(), 100 * below / len(ordered)))
    if report:
        report(len(files), len(files))
    return made


def anomaly(codec: Codec, x: Tensor, draws: int = 4, batch: int = 256) -> Tensor:
    """Return how badly a model explains windows ``(N, C, *S)``: ``(N,)``, in the unit of `MEASURES`.

    For a VAE it is -ELBO a dimension, over `draws` codes whose noise is the same for all windows, so that a
    window's score does not depend on its neighbours; for a model without KL the mean squared error; for a language
    model the negative log-likelihood. A dimension is a value, or a place where values are one-hot. Of a conditional
    model it is the least over all labels. Raise MusicaeError for a model that only restores.
    """
    measure, count = _measure(codec), len(class_names(codec))
    parts = []
    for i in range(0, len(x), batch):
        chosen = x[i : i + batch]
        conds: list[Tensor | None] = [codec.labels(torch.full((len(chosen),), label)) for label in range(count)]
        parts.append(torch.stack([_cost(codec, measure, chosen, cond, draws) for cond in conds or [None]]).amin(0))
    return torch.cat(parts) if parts else torch.zeros(0)


def _measure(codec: Codec) -> str:
    if isinstance(codec.model, Restorer):
        raise MusicaeError(f"the preset '{codec.preset.name}' only restores, it cannot score; use an autoencoder")
    if not codec.model.latent_size:
        return "nll"
    blank = torch.zeros(1, *codec.spec.full_shape)
    classes = len(class_names(codec))
    code = codec.encode(blank, codec.labels(torch.zeros(1)) if classes else None)
    return "mse" if code.logvar is None else "neg_elbo"


@torch.no_grad()
def _cost(codec: Codec, measure: str, x: Tensor, cond: Tensor | None, draws: int) -> Tensor:
    """Return the score of one batch ``(B,)``, given its labels."""
    if measure == "mse":
        back = codec.decode(codec.encode(x, cond).mean, cond=cond)
        return (back - x).square().flatten(1).mean(1)
    places = math.prod(codec.spec.shape if codec.spec.likelihood == "categorical" else codec.spec.full_shape)
    if measure == "nll":
        return codec.nll(x.new_zeros(len(x), 0), x) / places
    code = codec.encode(x, cond)
    noise = torch.randn(draws, 1, code.mean.shape[1], generator=generator(0, 29))
    spread = torch.zeros_like(code.mean) if code.logvar is None else (0.5 * code.logvar).exp()
    cost = torch.stack([codec.nll(code.mean + spread * one, x, cond) for one in noise]).mean(0)
    return (cost + code.kl().sum(1)) / places
