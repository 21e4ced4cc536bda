"""Sequences: what a code keeps of them, its walks, its prior, and their cost to a language model."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from musicae import codec as codecs
from musicae import registry
from musicae.codec import Codec
from musicae.core import Latent, Likelihood, Windows
from musicae.evaluations.shared.common import Figures, all_of, choose, mean, pca
from musicae.ops.walk import WalkOptions, walk
from musicae.ranges import Count, PartName, Seed
from musicae.tensors import metrics
from musicae.tensors.random import generator

__all__ = ["sequence"]

_MAX_TRAIN = 20_000  # Training windows that floors are computed from.


def sequence(
    codec: Codec,
    train: Windows,
    test: Windows,
    *,
    lm: PartName = "",
    pairs: Count = 500,
    samples: Count = 2000,
    steps: Count = 9,
    seed: Seed = 0,
) -> Figures:
    """Measure a model of sequences: what it keeps, its walks, its prior, and their cost to the language model `lm`.

    `pairs` of windows are interpolated in `steps`, and `samples` drawn from the prior. Costs are in nats a step;
    ``..._excess`` is the cost above that of real data. A language model itself only has `data_cost`.
    """
    x, cond = all_of(test), codec.conditions(test)
    if not codec.model.latent_size:
        return _likelihood(codec, train, x, cond)
    latent = codec.encode(x, cond)
    figures = _reconstruction(codec, train, x, latent, cond, seed)
    judge = codecs.load(lm) if lm else None
    if judge is not None:
        mean(figures, "data_cost", _cost(judge, x))
    _interpolation(codec, judge, x, latent, cond, min(pairs, len(x) // 2), steps, seed, figures)
    if judge is not None:
        real = figures["data_cost"]
        given = None if cond is None else cond[torch.arange(samples) % len(cond)]
        for name, z in {
            "prior": codec.draw(samples, seed, cond=given),
            "normal": torch.randn(samples, codec.model.latent_size, generator=generator(seed)),
        }.items():
            drawn = codec.decode(z, cond=given)
            mean(figures, f"{name}_cost_excess", _cost(judge, drawn) - real)
            figures[f"{name}_density_ratio"] = _density(codec, drawn).mean().item() / _density(codec, x).mean().item()
        figures["floor_prior_cost_excess"] = figures.pop("normal_cost_excess")
        figures["floor_prior_density_ratio"] = figures.pop("normal_density_ratio")
        figures.pop("spread_normal_cost_excess")
    return figures


def _cost(judge: Codec, x: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return the cost of each window to a language model in nats a step, ``(N,)``."""
    return judge.nll(x.new_zeros(len(x), 0), x, cond) / x.shape[-1]


def _likelihood(codec: Codec, train: Windows, x: Tensor, cond: Tensor | None) -> Figures:
    """Return the data cost of a language model; its floor knows only how frequent each value is."""
    figures: Figures = {}
    mean(figures, "data_cost", _cost(codec, x, cond))
    share = all_of(choose(train, _MAX_TRAIN, 0)).mean((0, 2)).clamp(1e-6, 1 - 1e-6)
    params = torch.where(_one_hot(codec), share.log(), torch.logit(share))
    unigram = codec.likelihood.nll(params.view(1, -1, 1).expand_as(x), x) / x.shape[-1]
    figures["floor_data_cost"] = unigram.mean().item()
    return figures


def _one_hot(codec: Codec) -> Tensor:
    """Return which channels are one-hot, ``(C,)`` bool; the others are independent."""
    masks = []
    for group in codec.spec.groups:
        likelihood: Likelihood = registry.build("likelihoods", group.likelihood)
        exclusive = group.channels > 1 and likelihood.free_values(group.channels) == 1
        masks.append(torch.full((group.channels,), exclusive))
    return torch.cat(masks)


def _density(codec: Codec, x: Tensor) -> Tensor:
    """Return the number of notes that begin in each window, ``(N,)``."""
    return codec.adapter.onsets(x).flatten(1).sum(1)


def _onset_f1(codec: Codec, target: Tensor, output: Tensor) -> Tensor:
    return metrics.onset_f1(codec.adapter.onsets(target), codec.adapter.onsets(output))


def _reconstruction(codec: Codec, train: Windows, x: Tensor, latent: Latent, cond: Tensor | None, seed: int) -> Figures:
    figures: Figures = {}
    most_probable = codec.decode(latent.mean, cond=cond)
    drawn = codec.decode(latent.sample(generator(seed, 1)), cond=cond)
    floor = _pca(codec, train, x)
    mean(figures, "token_accuracy_mean", metrics.token_accuracy(x, most_probable))
    mean(figures, "token_accuracy_sampled", metrics.token_accuracy(x, drawn))
    mean(figures, "onset_f1_mean", _onset_f1(codec, x, most_probable))
    mean(figures, "exact_windows", metrics.exact(x, most_probable))
    figures["floor_token_accuracy_mean"] = metrics.token_accuracy(x, floor).mean().item()
    figures["floor_onset_f1_mean"] = _onset_f1(codec, x, floor).mean().item()
    figures["floor_exact_windows"] = metrics.exact(x, floor).mean().item()
    mean(figures, "kl_nats", latent.kl().sum(1))
    return figures


def _pca(codec: Codec, train: Windows, x: Tensor) -> Tensor:
    """Reconstruct `x` from as many principal components of training windows as the code has numbers."""
    centre, basis = pca(all_of(choose(train, _MAX_TRAIN, 0)).flatten(1), codec.model.latent_size)
    back = ((x.flatten(1) - centre) @ basis @ basis.T + centre).view_as(x)
    threshold = torch.where(_one_hot(codec), 0.0, 0.5).view(-1, *(1,) * len(codec.spec.shape))
    return codec.likelihood.mode(back - threshold)


def _interpolation(
    codec: Codec,
    judge: Codec | None,
    x: Tensor,
    latent: Latent,
    cond: Tensor | None,
    pairs: int,
    steps: int,
    seed: int,
    figures: Figures,
) -> None:
    """Measure walks between `pairs` of windows, as `interpolate` takes them, and with even steps in the code."""
    order = torch.randperm(len(x), generator=generator(seed, 2))
    a, b = order[:pairs], order[pairs : 2 * pairs]
    conditions = None if cond is None else (cond[a], cond[b])
    codes = latent.mean[a], latent.mean[b]
    even = walk(codec, *codes, WalkOptions(steps), conditions).values
    plain = walk(codec, *codes, WalkOptions(steps, even=False), conditions).values
    for name, walked in (("interpolation", even), ("floor_interpolation", plain)):
        far = torch.stack([metrics.hamming(step, walked[0]) for step in walked])
        jump = torch.stack([metrics.hamming(now, then) for now, then in pairwise(walked)])
        figures[f"{name}_monotone"] = (far.diff(dim=0) >= 0).float().mean().item()
        figures[f"{name}_max_jump"] = (jump.amax(0) / far[-1].clamp_min(1)).mean().item()
    if judge is None:
        return
    middle, ends = even[steps // 2], (_density(codec, x[a]) + _density(codec, x[b])) / 2
    pick = torch.rand(pairs, 1, x.shape[-1], generator=generator(seed, 3)) < 0.5
    blend = torch.where(pick, x[a], x[b])
    mean(figures, "midpoint_cost_excess", _cost(judge, middle) - figures["data_cost"])
    mean(figures, "blend_cost_excess", _cost(judge, blend) - figures["data_cost"])
    figures["midpoint_density_ratio"] = _density(codec, middle).mean().item() / ends.mean().item()
    figures["blend_density_ratio"] = _density(codec, blend).mean().item() / ends.mean().item()
