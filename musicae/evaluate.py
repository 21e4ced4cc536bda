"""A checkpoint's figures on held-out data, each with its floor and its spread, as one flat dictionary.

``floor_X`` is what a simple rival reaches for the figure ``X``; ``spread_X`` is half of its 95 %
confidence interval over windows (or pairs).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from . import codec as codecs
from . import data, metrics, ops, registry
from .codec import Codec, generator
from .core import Latent, Windows
from .errors import MusicaeError

__all__ = ["evaluate", "sequence"]

Figures = dict[str, float]


def evaluate(codec: Codec, folders: Mapping[str, Path] | None = None, limit: int | None = None) -> Figures:
    """Return the figures that the preset's ``[evaluation]`` asks for, on its test split.

    `limit` takes that many windows at random instead of all. Raise MusicaeError where the preset
    names no evaluation, or its data cannot be found.
    """
    part = codec.preset.part("evaluation")
    if part is None:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no [evaluation] section; add one to measure it")
    started = time.perf_counter()
    train, test = (data.load(codec.preset, codec.adapter, split, folders or {}) for split in ("train", "test"))
    if not len(test):
        raise MusicaeError("the test split is empty; give more data with --data")
    test = _choose(test, min(limit or len(test), len(test)), 0)
    figures: Figures = registry.build("evaluations", part[0], codec, train, test, **part[1])
    figures |= {"windows": len(test), "pieces": len(set(test.pieces.tolist()))}
    return figures | {"seconds": round(time.perf_counter() - started, 1)}


def sequence(
    codec: Codec, train: Windows, test: Windows, *, lm: str = "", pairs: int = 500, samples: int = 2000,
    steps: int = 9, seed: int = 0,
) -> Figures:  # fmt: skip
    """Measure a model of sequences: what it keeps, its walks, its prior, and what they cost the language model `lm`."""
    x = test.batch(torch.arange(len(test)))
    if not codec.model.latent_size:
        return _likelihood(codec, train, x)
    latent = codec.encode(x)
    figures = _reconstruction(codec, train, x, latent, seed)
    judge = codecs.load(lm) if lm else None
    if judge is not None:
        _mean(figures, "data_cost", _cost(judge, x))
    _interpolation(codec, judge, x, latent, min(pairs, len(x) // 2), steps, seed, figures)
    if judge is not None:
        real = figures["data_cost"]
        for name, z in {
            "prior": codec.draw(samples, seed),
            "normal": torch.randn(samples, codec.model.latent_size, generator=generator(seed)),
        }.items():
            drawn = codec.decode(z)
            _mean(figures, f"{name}_cost_excess", _cost(judge, drawn) - real)
            figures[f"{name}_density_ratio"] = _density(codec, drawn).mean().item() / _density(codec, x).mean().item()
        figures["floor_prior_cost_excess"] = figures.pop("normal_cost_excess")
        figures["floor_prior_density_ratio"] = figures.pop("normal_density_ratio")
        figures.pop("spread_normal_cost_excess")
    return figures


def _choose(windows: Windows, n: int, seed: int) -> Windows:
    index = torch.randperm(len(windows), generator=generator(seed, 17))[:n]
    labels = None if windows.labels is None else windows.labels[index]
    return Windows(windows.data[index], windows.pieces[index], windows.channels, windows.names, labels)


def _mean(figures: Figures, name: str, values: Tensor) -> None:
    figures[name] = values.mean().item()
    figures[f"spread_{name}"] = 1.96 * values.std().item() / math.sqrt(len(values)) if len(values) > 1 else 0.0


@torch.no_grad()
def _cost(judge: Codec, x: Tensor, batch: int = 1024) -> Tensor:
    """Return the nats a step that the language model needs for each window, ``(N,)``."""
    parts = []
    for i in range(0, len(x), batch):
        chosen = x[i : i + batch]
        params = judge.model.params(chosen.new_zeros(len(chosen), 0), chosen)
        parts.append(judge.likelihood.nll(params, chosen) / x.shape[-1])
    return torch.cat(parts)


def _likelihood(codec: Codec, train: Windows, x: Tensor) -> Figures:
    """Return the cost of a language model, above the floor of knowing only how frequent each value is."""
    figures: Figures = {}
    _mean(figures, "data_cost", _cost(codec, x))
    share = _choose(train, 20_000, 0).batch(torch.arange(min(20_000, len(train)))).mean((0, 2)).clamp(1e-6, 1 - 1e-6)
    params = share.log() if _one_hot(codec) else torch.logit(share)
    unigram = codec.likelihood.nll(params.view(1, -1, 1).expand_as(x), x) / x.shape[-1]
    figures["floor_data_cost"] = unigram.mean().item()
    return figures


def _one_hot(codec: Codec) -> bool:
    return codec.spec.likelihood == "categorical"


def _density(codec: Codec, x: Tensor) -> Tensor:
    return metrics.onsets(x, _one_hot(codec)).flatten(1).sum(1)


def _reconstruction(codec: Codec, train: Windows, x: Tensor, latent: Latent, seed: int) -> Figures:
    figures: Figures = {}
    mean, drawn = codec.decode(latent.mean), codec.decode(latent.sample(generator(seed, 1)))
    floor = _pca(codec, train, x)
    _mean(figures, "token_accuracy_mean", metrics.token_accuracy(x, mean))
    _mean(figures, "token_accuracy_sampled", metrics.token_accuracy(x, drawn))
    _mean(figures, "onset_f1_mean", metrics.onset_f1(x, mean, _one_hot(codec)))
    _mean(figures, "exact_windows", metrics.exact(x, mean))
    figures["floor_token_accuracy_mean"] = metrics.token_accuracy(x, floor).mean().item()
    figures["floor_onset_f1_mean"] = metrics.onset_f1(x, floor, _one_hot(codec)).mean().item()
    figures["floor_exact_windows"] = metrics.exact(x, floor).mean().item()
    _mean(figures, "kl_nats", latent.kl().sum(1))
    return figures


def _pca(codec: Codec, train: Windows, x: Tensor) -> Tensor:
    """Reconstruct `x` from as many principal components of training windows as the code has numbers."""
    chosen = _choose(train, min(len(train), 20_000), 0)
    known = chosen.batch(torch.arange(len(chosen))).flatten(1)
    centre = known.mean(0)
    known -= centre
    if len(known) < known.shape[1]:
        basis = torch.linalg.svd(known, full_matrices=False).Vh[: codec.model.latent_size].T
    else:
        _, vectors = torch.linalg.eigh((known.T @ known).double())
        basis = vectors[:, -codec.model.latent_size :].float()
    back = ((x.flatten(1) - centre) @ basis @ basis.T + centre).view_as(x)
    return codec.likelihood.mode(back if _one_hot(codec) else back - 0.5)


def _interpolation(
    codec: Codec, judge: Codec | None, x: Tensor, latent: Latent, pairs: int, steps: int, seed: int, figures: Figures
) -> None:
    """Measure `pairs` walks between different windows, as the verb takes them, and with even steps in the code."""
    order = torch.randperm(len(x), generator=generator(seed, 2))
    a, b = order[:pairs], order[pairs : 2 * pairs]
    walk = ops.walk(codec, latent.mean[a], latent.mean[b], steps)
    plain = ops.walk(codec, latent.mean[a], latent.mean[b], steps, even=False)
    for name, steps_of in (("interpolation", walk), ("floor_interpolation", plain)):
        far = torch.stack([metrics.hamming(step, steps_of[0]) for step in steps_of])
        jump = torch.stack([metrics.hamming(now, then) for now, then in pairwise(steps_of)])
        figures[f"{name}_monotone"] = (far.diff(dim=0) >= 0).float().mean().item()
        figures[f"{name}_max_jump"] = (jump.amax(0) / far[-1].clamp_min(1)).mean().item()
    if judge is None:
        return
    middle, ends = walk[steps // 2], (_density(codec, x[a]) + _density(codec, x[b])) / 2
    pick = torch.rand(pairs, 1, x.shape[-1], generator=generator(seed, 3)) < 0.5
    blend = torch.where(pick, x[a], x[b])
    _mean(figures, "midpoint_cost_excess", _cost(judge, middle) - figures["data_cost"])
    _mean(figures, "blend_cost_excess", _cost(judge, blend) - figures["data_cost"])
    figures["midpoint_density_ratio"] = _density(codec, middle).mean().item() / ends.mean().item()
    figures["blend_density_ratio"] = _density(codec, blend).mean().item() / ends.mean().item()
