"""Generative models of pictures: how probable real pictures are under them, and how real their samples look."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared import classifier
from musicae.evaluations.shared.common import Figures, all_of, choose, mean, other_set, rivals
from musicae.evaluations.shared.images import PCA, entropy, knowledge, psnr
from musicae.ranges import Count, PartName, Seed
from musicae.tensors import metrics
from musicae.tensors.random import generator

__all__ = ["generative", "iwae", "neg_elbo"]

_MAX_ROWS = 2048  # Codes decoded at a time.


def generative(
    codec: Codec,
    train: Windows,
    test: Windows,
    folders: Mapping[str, Path],
    *,
    importance: Count = 500,
    pictures: Count = 1000,
    importance_all: Count = 50,
    samples: Count = 10_000,
    known: Count = 20_000,
    against: PartName = "",
    outliers: PartName = "",
    seed: Seed = 0,
) -> Figures:
    """Measure a model whose code pictures can be drawn from.

    For a VAE, in nats a picture (of Bernoulli draws of the pixels, if values are probabilities): `neg_elbo` and its
    part `kl_nats`; `nll`, importance weighted with `importance` samples on `pictures` of the test set, and
    ``nll_k<importance_all>`` on all of it. Their floor knows only each pixel's mean; `floor_bce` is the entropy of the
    draws. The prior over codes is N(0, 1), as in training. ``auroc_<outliers>`` says how well -ELBO separates the data
    set `outliers` from the codec's own.

    For all models: `psnr` of the most probable picture for the code's mean, against PCA, with `rate_bits`, the KL of
    the code of the same picture; `probe_accuracy` (see `images.knowledge`, on `known` pictures). With labels, of
    `samples` draws: `frechet`, the distance from the test set in the features of a classifier trained here, and
    `frechet_vae`, that of the preset `against`; `floor_frechet` is that of as many training pictures.
    `classifier_accuracy` is on real pictures, its floor the share of the largest class. `label_agreement` is how often
    the classifier agrees with the label given to a conditional model.
    """
    if not codec.model.latent_size:
        raise MusicaeError(
            f"the preset '{codec.preset.name}' has no code to draw from; set [evaluation] name = 'pictures'"
        )
    figures: Figures = {}
    x, cond = all_of(test), codec.conditions(test)
    variational = codec.encode(x[:1], None if cond is None else cond[:1]).logvar is not None
    if variational:
        shares = average(train)
        drawn = _binarise(codec, x, seed)
        bound = _bounds(figures, codec, drawn, cond, shares, importance, pictures, importance_all, seed)
        if codec.likelihood.probabilities:
            figures["floor_bce"] = entropy(x).mean().item()
        other = other_set(codec, outliers, folders) if outliers else None
        if other is not None:
            y = _binarise(codec, all_of(other), seed)
            name = f"auroc_{outliers.replace('-', '_')}"
            figures[name] = metrics.auroc(bound, neg_elbo(codec, y, codec.conditions(other), seed)[0])
            if codec.likelihood.probabilities:
                figures[f"floor_{name}"] = metrics.auroc(independent(shares, drawn), independent(shares, y))
    latent = codec.encode(x, cond)
    mean(figures, "psnr", psnr(x, codec.decode(latent.mean, cond=cond).clamp(0, 1)))
    if variational:
        figures["rate_bits"] = latent.kl().sum(1).mean().item() / math.log(2)
    components = PCA(train, codec.model.latent_size)
    rivals(figures, "psnr", {"pca": psnr(x, components.restore(x)).mean().item()})
    knowledge(figures, codec, train, test, components, None, known, seed)
    if train.labels is not None and test.labels is not None and samples:
        _samples(figures, codec, train, test, samples, against, seed)
    return figures


def _binarise(codec: Codec, x: Tensor, seed: int) -> Tensor:
    """Draw each pixel with its value as the probability, if the likelihood is over such draws."""
    return (torch.rand(x.shape, generator=generator(seed, 41)) < x).float() if codec.likelihood.probabilities else x


def average(windows: Windows, batch: int = 4096) -> Tensor:
    """Return the mean of each pixel over all the windows, ``(C, *S)``."""
    places = torch.arange(len(windows))
    sums = [windows.batch(places[i : i + batch]).double().sum(0) for i in range(0, len(windows), batch)]
    return (torch.stack(sums).sum(0) / len(windows)).float()


def independent(shares: Tensor, x: Tensor) -> Tensor:
    """Return -log p(x) in nats, ``(N,)``, of a model that knows only each pixel's share of ones."""
    shares = shares.clamp(1e-4, 1 - 1e-4)
    return -(x * shares.log() + (1 - x) * (-shares).log1p()).flatten(1).sum(1)


def neg_elbo(codec: Codec, x: Tensor, cond: Tensor | None = None, seed: Seed = 0) -> tuple[Tensor, Tensor]:
    """Return -ELBO and its part KL(q(z|x) || N(0, 1)), both ``(N,)`` in nats; one code is drawn for each picture."""
    latent = codec.encode(x, cond)
    kl = latent.kl().sum(1)
    return codec.nll(latent.sample(generator(seed, 42)), x, cond) + kl, kl


@torch.no_grad()
def iwae(codec: Codec, x: Tensor, k: int, cond: Tensor | None = None, seed: Seed = 0) -> Tensor:
    """Return the importance weighted bound on -log p(x) in nats, ``(N,)``.

    ``-log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x)``, ``z_i`` drawn from ``q(z|x)`` (Burda, Grosse and Salakhutdinov
    2016, eq. 8); it falls to the true value as `k` grows. Raise MusicaeError for a model whose code is a point.
    """
    latent = codec.encode(x, cond)
    if latent.logvar is None:
        raise MusicaeError(f"the code of '{codec.preset.name}' is a point, not a distribution; it has no likelihood")
    bounds, batch = [torch.zeros(0, dtype=torch.float64)], max(1, _MAX_ROWS // k)
    for i in range(0, len(x), batch):
        rows = torch.arange(i, min(i + batch, len(x))).repeat_interleave(k)
        centre, logvar = latent.mean[rows], latent.logvar[rows]
        noise = torch.randn(centre.shape, generator=generator(seed, 43, i))
        z = centre + (0.5 * logvar).exp() * noise
        # log p(z) - log q(z|x): the normal densities' constants cancel.
        weight = 0.5 * (noise.double().square() + logvar.double() - z.double().square()).sum(1)
        weight -= codec.nll(z, x[rows], None if cond is None else cond[rows]).double()
        bounds.append(weight.view(-1, k).logsumexp(1) - math.log(k))
    return -torch.cat(bounds).float()


def _bounds(
    figures: Figures,
    codec: Codec,
    x: Tensor,
    cond: Tensor | None,
    shares: Tensor,
    importance: int,
    pictures: int,
    importance_all: int,
    seed: int,
) -> Tensor:
    """Add the bounds on -log p(x) to `figures`, and return -ELBO ``(N,)``."""
    bound, kl = neg_elbo(codec, x, cond, seed)
    mean(figures, "neg_elbo", bound)
    mean(figures, "kl_nats", kl)
    chosen = torch.randperm(len(x), generator=generator(seed, 44))[:pictures]
    if importance:
        mean(figures, "nll", iwae(codec, x[chosen], importance, None if cond is None else cond[chosen], seed))
    if importance_all:
        mean(figures, f"nll_k{importance_all}", iwae(codec, x, importance_all, cond, seed))
    if codec.likelihood.probabilities:
        floor = independent(shares, x)
        figures |= {"floor_neg_elbo": floor.mean().item(), "floor_nll": floor[chosen].mean().item()}
    return bound


def _samples(
    figures: Figures, codec: Codec, train: Windows, test: Windows, samples: int, against: str, seed: int
) -> None:
    judge = classifier.trained(train)
    real = judge.features(all_of(test))
    assert test.labels is not None
    mean(figures, "classifier_accuracy", (judge.classes(real) == test.labels).float())
    figures["floor_classifier_accuracy"] = test.labels.long().bincount().max().item() / len(test)
    drawn, labels = _draws(codec, samples, seed)
    features = judge.features(drawn)
    condition = codec.model.condition
    if labels is not None and condition is not None:
        mean(figures, "label_agreement", (judge.classes(features) == labels).float())
        figures["floor_label_agreement"] = 1 / condition.channels
    figures["frechet"] = metrics.frechet(features, real)
    figures["floor_frechet"] = metrics.frechet(judge.features(all_of(choose(train, samples, seed))), real)
    if against:
        other = codecs.load(against)
        if other.spec.full_shape != codec.spec.full_shape:
            raise MusicaeError(
                f"[evaluation] against: '{against}' has windows of another shape; name a preset with the same"
            )
        figures["frechet_vae"] = metrics.frechet(judge.features(_draws(other, samples, seed)[0]), real)


def _draws(codec: Codec, n: int, seed: int) -> tuple[Tensor, Tensor | None]:
    """Draw `n` pictures ``(n, C, *S)``; return them, and the labels ``(n,)`` given to a conditional model."""
    condition = codec.model.condition
    labels = torch.arange(n) % condition.channels if condition is not None and condition.classes else None
    cond = None if labels is None else codec.label_conditions(labels)
    drawn = codec.decode(codec.draw(n, seed, cond=cond), cond=cond)
    return drawn.clamp(0, 1), labels
