"""Sequences: what a code keeps of them, its walks, its prior, and their cost to a language model."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Latent, Windows
from musicae.evaluations.shared.common import Figures, all_of, choose, mean, report
from musicae.evaluations.shared.sequences import (
    Components,
    cost,
    density,
    encoded,
    in_parts,
    interpolation,
    one_hot,
    per_window,
)
from musicae.ranges import Count, PartName, Seed
from musicae.tensors import metrics
from musicae.tensors.random import generator

__all__ = ["sequence"]

_MAX_TRAIN = 20_000  # Training windows whose frequencies the floor of a language model knows.


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

    `pairs` of windows, if there are two, are interpolated in `steps`, and `samples` drawn from the prior. Costs are in
    nats a step; ``..._excess`` is the cost above that of real data. A language model itself only has `data_cost`. Of
    windows longer than the language model's own, it judges piece by piece.
    """
    if not codec.model.latent_size:
        return _likelihood(codec, train, test)
    latent = encoded(codec, test)
    figures = _reconstruction(codec, train, test, latent, seed)
    judge = codecs.load(lm) if lm else None
    if judge is not None:
        mean(figures, "data_cost", per_window(codec, test, lambda x: cost(judge, x)))
    if len(test) > 1:
        walks = interpolation(figures, codec, test, latent.mean, min(pairs, len(test) // 2), steps, seed)
        if judge is not None:
            _middle(figures, codec, judge, test, walks, seed)
    if judge is not None:
        _samples(figures, codec, judge, test, samples, seed)
    return figures


def _likelihood(codec: Codec, train: Windows, test: Windows) -> Figures:
    """Return the data cost of a language model; its floor knows only how frequent each value is."""
    figures: Figures = {}
    x, cond = all_of(test), codec.conditions(test)
    mean(figures, "data_cost", cost(codec, x, cond))
    share = all_of(choose(train, _MAX_TRAIN, 0)).mean((0, 2)).clamp(1e-6, 1 - 1e-6)
    params = torch.where(one_hot(codec.spec), share.log(), torch.logit(share))
    unigram = codec.likelihood.nll(params.view(1, -1, 1).expand_as(x), x) / x.shape[-1]
    figures["floor_data_cost"] = unigram.mean().item()
    return figures


def _onset_f1(codec: Codec, target: Tensor, output: Tensor) -> Tensor:
    return metrics.onset_f1(codec.adapter.onsets(target), codec.adapter.onsets(output))


def _reconstruction(codec: Codec, train: Windows, test: Windows, latent: Latent, seed: int) -> Figures:
    components, drawn = Components(codec, train), latent.sample(generator(seed, 1))
    values: dict[str, list[Tensor]] = {}
    for index in in_parts(codec, len(test)):
        x, cond = test.batch(index), codec.conditions(test, index)
        made = codec.decode(latent.mean[index], cond=cond)
        for prefix, output in (("", made), ("floor_", components.restore(x))):
            values.setdefault(f"{prefix}token_accuracy_mean", []).append(metrics.token_accuracy(x, output))
            values.setdefault(f"{prefix}onset_f1_mean", []).append(_onset_f1(codec, x, output))
            values.setdefault(f"{prefix}exact_windows", []).append(metrics.exact(x, output))
        made = codec.decode(drawn[index], cond=cond)
        values.setdefault("token_accuracy_sampled", []).append(metrics.token_accuracy(x, made))
    figures: Figures = {}
    for name in ("token_accuracy_mean", "token_accuracy_sampled", "onset_f1_mean", "exact_windows"):
        mean(figures, name, torch.cat(values.pop(name)))
    figures |= {name: torch.cat(floors).mean().item() for name, floors in values.items()}
    mean(figures, "kl_nats", latent.kl().sum(1))
    return figures


def _middle(
    figures: Figures, codec: Codec, judge: Codec, test: Windows, walks: tuple[Tensor, Tensor, Tensor], seed: int
) -> None:
    """Judge what lies half-way, and a blend of the ends."""
    middle, a, b = walks[0], test.batch(walks[1]), test.batch(walks[2])
    ends = (density(codec, a) + density(codec, b)) / 2
    blend = torch.where(torch.rand(len(a), 1, a.shape[-1], generator=generator(seed, 3)) < 0.5, a, b)
    mean(figures, "midpoint_cost_excess", cost(judge, middle) - figures["data_cost"])
    mean(figures, "blend_cost_excess", cost(judge, blend) - figures["data_cost"])
    figures["midpoint_density_ratio"] = density(codec, middle).mean().item() / ends.mean().item()
    figures["blend_density_ratio"] = density(codec, blend).mean().item() / ends.mean().item()


def _samples(figures: Figures, codec: Codec, judge: Codec, test: Windows, samples: int, seed: int) -> None:
    """Judge draws from the prior, and, as their floor, from N(0, 1)."""
    real, cond = per_window(codec, test, lambda x: density(codec, x)).mean().item(), codec.conditions(test)
    given = None if cond is None else cond[torch.arange(samples) % len(cond)]
    for prefix, z in (
        ("", codec.draw(samples, seed, cond=given)),
        ("floor_", torch.randn(samples, codec.model.latent_size, generator=generator(seed))),
    ):
        costs, notes = [], []
        for index in in_parts(codec, samples):
            drawn = codec.decode(z[index], cond=None if given is None else given[index])
            costs.append(cost(judge, drawn) - figures["data_cost"])
            notes.append(density(codec, drawn))
        report(figures, prefix, "prior_cost_excess", torch.cat(costs))
        figures[f"{prefix}prior_density_ratio"] = torch.cat(notes).mean().item() / real
