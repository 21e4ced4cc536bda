"""How unlike its training data a file looks to a model: an anomaly score, and its percentile there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicae import splits
from musicae.codec import Codec
from musicae.core import Source
from musicae.errors import MusicaeError
from musicae.ops.choose import gather
from musicae.ops.conditions import class_names, condition
from musicae.ops.inputs import crop_windows, read_all
from musicae.ops.shards import ALL, Shard
from musicae.ops.walk import Report
from musicae.tensors.random import generator

__all__ = ["MEASURES", "Score", "Scores", "anomaly", "score"]

MEASURES = {
    "neg_elbo": "-ELBO, nats a dimension",
    "nll": "negative log-likelihood, nats a dimension",
    "mse": "mean squared error",
}


@dataclass
class Score:
    """A file's score: the higher, the stranger; `percentile` of the training windows (0..100) score less.

    `path` is the file's, or what a source without one is called.
    """

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
    *sources: Source,
    preset: Codec | str | None = None,
    folders: Mapping[str, Path] | None = None,
    known: int = 5000,
    seed: int = 0,
    report: Report | None = None,
    shard: Shard = ALL,
    **read_options: Any,
) -> Scores:
    """Score files (paths, streams or samples; for a folder, all in it) by how well a preset explains them.

    A file's score is the mean over its windows, see `anomaly`. Its percentile is among `known` windows of the
    preset's training split, chosen at random by `seed`; `folders` says where that lies (see `musicae.splits.load`).
    A file that cannot be read is skipped where there are others. Only the files of `shard` are taken. Raise
    MusicaeError as `interpolate` does, and where the data cannot be found.
    """
    codec, files = gather(preset, *sources, shard=shard)
    measure = _measure(codec)
    train = splits.load(codec.preset, codec.adapter, "train", folders or {})
    if not len(train):
        raise MusicaeError("the training split is empty; give more data with --data")
    index = torch.randperm(len(train), generator=generator(seed, 23))[:known]
    cond = None if class_names(codec) else codec.conditions(train, index)
    ordered = anomaly(codec, *crop_windows(codec, train.batch(index), cond, seed)).sort().values
    made = Scores(codec, measure, [], ordered)
    for i, (source, name) in enumerate(files):
        path = source if isinstance(source, Path) else name
        if report:
            report(i, len(files))
        try:
            value = _of_source(codec, source, read_options)
        except MusicaeError as error:
            if len(files) == 1:
                raise
            made.skipped[str(path)] = str(error)
            continue
        below = int(torch.searchsorted(ordered, value))
        made.files.append(Score(path, value.item(), 100 * below / len(ordered)))
    if report:
        report(len(files), len(files))
    return made


def _of_source(codec: Codec, source: Source, read_options: Mapping[str, Any]) -> Tensor:
    (one,), _ = read_all(codec, [source], read_options)
    x = codec.split(one)
    cond = None if class_names(codec) else condition(codec, None, len(x), one)
    return anomaly(codec, x, cond).mean()


def anomaly(codec: Codec, x: Tensor, cond: Tensor | None = None, draws: int = 4, batch: int = 256) -> Tensor:
    """Return how badly a model explains windows ``(N, C, *S)``: ``(N,)``, in the unit of `MEASURES`.

    For a VAE it is -ELBO a dimension, over `draws` codes whose noise is the same for all windows, so that a
    window's score does not depend on its neighbours; for a model without KL the mean squared error; for a language
    model the negative log-likelihood. A dimension is a value, or a place where values are one-hot. Of a model that is
    conditional on a class it is the minimum over all labels, else it is the score under `cond`.
    Raise MusicaeError for a model that only restores.
    """
    measure, count = _measure(codec), len(class_names(codec))
    parts = [torch.zeros(0)]
    for i in range(0, len(x), batch):
        chosen = x[i : i + batch]
        given: list[Tensor | None] = [codec.label_conditions(torch.full((len(chosen),), k)) for k in range(count)]
        given = given or [None if cond is None else cond[i : i + batch]]
        parts.append(torch.stack([_cost(codec, measure, chosen, one, draws) for one in given]).amin(0))
    return torch.cat(parts)


def _measure(codec: Codec) -> str:
    if codec.model.restores:
        raise MusicaeError(f"the preset '{codec.preset.name}' only restores, it cannot score; use an autoencoder")
    if not codec.model.latent_size:
        return "nll"
    blank, spec = torch.zeros(1, *codec.spec.full_shape), codec.model.condition
    code = codec.encode(blank, torch.zeros(1, *spec.shape(codec.spec.shape[-1])) if spec else None)
    return "mse" if code.logvar is None else "neg_elbo"


@torch.no_grad()
def _cost(codec: Codec, measure: str, x: Tensor, cond: Tensor | None, draws: int) -> Tensor:
    """Return the score of one batch ``(B,)``, under its conditions."""
    if measure == "mse":
        back = codec.decode(codec.encode(x, cond).mean, cond=cond)
        return (back - x).square().flatten(1).mean(1)
    places = math.prod(codec.spec.shape) * codec.likelihood.free_values(codec.spec.channels)
    if measure == "nll":
        return codec.nll(x.new_zeros(len(x), 0), x, cond) / places
    code = codec.encode(x, cond)
    noise = torch.randn(draws, 1, code.mean.shape[1], generator=generator(0, 29))
    spread = torch.zeros_like(code.mean) if code.logvar is None else (0.5 * code.logvar).exp()
    cost = torch.stack([codec.nll(code.mean + spread * one, x, cond) for one in noise]).mean(0)
    return (cost + code.kl().sum(1)) / places
