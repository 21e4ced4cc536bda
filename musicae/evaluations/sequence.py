"""Sequences: what a code keeps of them, its walks, its prior, and what they cost a language model."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from .. import codec as codecs
from .. import metrics, walks
from ..codec import Codec, generator
from ..core import Latent, Windows
from .common import Figures, all_of, choose, mean, pca

__all__ = ["sequence"]


def sequence(
    codec: Codec, train: Windows, test: Windows, *, lm: str = "", pairs: int = 500, samples: int = 2000,
    steps: int = 9, seed: int = 0,
) -> Figures:  # fmt: skip
    """Measure a model of sequences: what it keeps, its walks, its prior, and what they cost the language model `lm`."""
    x = all_of(test)
    if not codec.model.latent_size:
        return _likelihood(codec, train, x)
    latent = codec.encode(x)
    figures = _reconstruction(codec, train, x, latent, seed)
    judge = codecs.load(lm) if lm else None
    if judge is not None:
        mean(figures, "data_cost", _cost(judge, x))
    _interpolation(codec, judge, x, latent, min(pairs, len(x) // 2), steps, seed, figures)
    if judge is not None:
        real = figures["data_cost"]
        for name, z in {
            "prior": codec.draw(samples, seed),
            "normal": torch.randn(samples, codec.model.latent_size, generator=generator(seed)),
        }.items():
            drawn = codec.decode(z)
            mean(figures, f"{name}_cost_excess", _cost(judge, drawn) - real)
            figures[f"{name}_density_ratio"] = _density(codec, drawn).mean().item() / _density(codec, x).mean().item()
        figures["floor_prior_cost_excess"] = figures.pop("normal_cost_excess")
        figures["floor_prior_density_ratio"] = figures.pop("normal_density_ratio")
        figures.pop("spread_normal_cost_excess")
    return figures


def _cost(judge: Codec, x: Tensor) -> Tensor:
    """Return the nats a step that the language model needs for each window, ``(N,)``."""
    return judge.nll(x.new_zeros(len(x), 0), x) / x.shape[-1]


def _likelihood(codec: Codec, train: Windows, x: Tensor) -> Figures:
    """Return the cost of a language model, above the floor of knowing only how frequent each value is."""
    figures: Figures = {}
    mean(figures, "data_cost", _cost(codec, x))
    share = all_of(choose(train, 20_000, 0)).mean((0, 2)).clamp(1e-6, 1 - 1e-6)
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
    likeliest, drawn = codec.decode(latent.mean), codec.decode(latent.sample(generator(seed, 1)))
    floor = _pca(codec, train, x)
    mean(figures, "token_accuracy_mean", metrics.token_accuracy(x, likeliest))
    mean(figures, "token_accuracy_sampled", metrics.token_accuracy(x, drawn))
    mean(figures, "onset_f1_mean", metrics.onset_f1(x, likeliest, _one_hot(codec)))
    mean(figures, "exact_windows", metrics.exact(x, likeliest))
    figures["floor_token_accuracy_mean"] = metrics.token_accuracy(x, floor).mean().item()
    figures["floor_onset_f1_mean"] = metrics.onset_f1(x, floor, _one_hot(codec)).mean().item()
    figures["floor_exact_windows"] = metrics.exact(x, floor).mean().item()
    mean(figures, "kl_nats", latent.kl().sum(1))
    return figures


def _pca(codec: Codec, train: Windows, x: Tensor) -> Tensor:
    """Reconstruct `x` from as many principal components of training windows as the code has numbers."""
    centre, basis = pca(all_of(choose(train, 20_000, 0)).flatten(1), codec.model.latent_size)
    back = ((x.flatten(1) - centre) @ basis @ basis.T + centre).view_as(x)
    return codec.likelihood.mode(back if _one_hot(codec) else back - 0.5)


def _interpolation(
    codec: Codec, judge: Codec | None, x: Tensor, latent: Latent, pairs: int, steps: int, seed: int, figures: Figures
) -> None:
    """Measure `pairs` walks between different windows, as the verb takes them, and with even steps in the code."""
    order = torch.randperm(len(x), generator=generator(seed, 2))
    a, b = order[:pairs], order[pairs : 2 * pairs]
    walk = walks.walk(codec, latent.mean[a], latent.mean[b], steps)
    plain = walks.walk(codec, latent.mean[a], latent.mean[b], steps, even=False)
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
    mean(figures, "midpoint_cost_excess", _cost(judge, middle) - figures["data_cost"])
    mean(figures, "blend_cost_excess", _cost(judge, blend) - figures["data_cost"])
    figures["midpoint_density_ratio"] = _density(codec, middle).mean().item() / ends.mean().item()
    figures["blend_density_ratio"] = _density(codec, blend).mean().item() / ends.mean().item()
