"""Pictures: how well they are reconstructed or restored, against simple rivals, and what their codes know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.codec import Codec
from musicae.core import Corruption, Windows
from musicae.evaluations.shared import floors
from musicae.evaluations.shared.common import Figures, all_of, choose, mean, other_set, rivals
from musicae.evaluations.shared.images import PCA, entropy, knowledge, psnr
from musicae.ranges import Count, CountOrNone, PartName, Seed
from musicae.tensors import metrics
from musicae.tensors.random import generator

__all__ = ["pictures"]


def pictures(
    codec: Codec,
    train: Windows,
    test: Windows,
    folders: Mapping[str, Path],
    *,
    outliers: PartName = "",
    known: Count = 20_000,
    classical: CountOrNone = 500,
    seed: Seed = 0,
) -> Figures:
    """Measure reconstructed pictures, or restored ones if the preset has a corruption.

    Figures: `psnr` in dB and `mse`, both means over pictures, and `bce` in nats a picture if values are probabilities.
    The rivals are `floor_pca` (as many principal components as the code has numbers), `floor_input` (what goes in),
    `floor_nlm` (non-local means with the true deviation of the noise, and then the best affine map; on `classical`
    pictures), `floor_bicubic` and `floor_back_projection`; `floor_psnr` is the best of them. `floor_bce` is the entropy
    of the pictures, which nothing can go below.

    A model with a code also has `active`, how many of its numbers are not 0, if many are 0; `probe_accuracy` (see
    `knowledge`; trained on `known` pictures); and `auroc_<outliers>`: how well its error separates the data set
    `outliers` from its own.
    """
    x, cond, corruption = all_of(test), codec.conditions(test), codec.corruption()
    given = corruption(x, generator(seed, 21)) if corruption else x
    out = codec.restore(given, cond).clamp(0, 1)
    figures: Figures = {}
    mean(figures, "psnr", psnr(x, out))
    mean(figures, "mse", _error(x, out))
    if codec.likelihood.probabilities:
        mean(figures, "bce", _nll(codec, given, x, cond))
        figures["floor_bce"] = entropy(x).mean().item()
    floor: dict[str, float] = {}
    components = None
    if codec.model.latent_size:
        components = PCA(train, codec.model.latent_size)
        floor["pca"] = psnr(x, components.restore(given)).mean().item()
        used = codec.encode(given, cond).mean.ne(0).float().sum(1)
        if used.mean() < 0.99 * codec.model.latent_size:
            mean(figures, "active", used)
        knowledge(figures, codec, train, test, components, corruption, known, seed)
    if corruption:
        floor["input"] = psnr(x, given.clamp(0, 1)).mean().item()
        floor |= _classical(train, x, given, corruption, classical, seed)
    rivals(figures, "psnr", floor)
    if outliers and components is not None and corruption is None:
        other = other_set(codec, outliers, folders)
        if other is not None:
            y = all_of(other)
            name = f"auroc_{outliers.replace('-', '_')}"
            again = codec.restore(y, codec.conditions(other)).clamp(0, 1)
            figures[name] = metrics.auroc(_error(x, out), _error(y, again))
            simple = (_error(x, components.restore(x)), _error(y, components.restore(y)))
            figures[f"floor_{name}"] = metrics.auroc(*simple)
    return figures


def _error(x: Tensor, out: Tensor) -> Tensor:
    return (x - out).square().flatten(1).mean(1)


@torch.no_grad()
def _nll(codec: Codec, given: Tensor, x: Tensor, cond: Tensor | None, batch: int = 256) -> Tensor:
    """Return -log p(x | given) in nats, ``(N,)``; for a model with a code, given the code's mean."""
    if codec.model.latent_size:
        return codec.nll(codec.encode(given, cond).mean, x, cond)
    parts = []
    for i in range(0, len(x), batch):
        part = None if cond is None else cond[i : i + batch].to(codec.device)
        params = codec.model.restore(given[i : i + batch].to(codec.device), part)
        parts.append(codec.likelihood.nll(params.float(), x[i : i + batch].to(codec.device)).cpu())
    return torch.cat(parts)


def _classical(
    train: Windows, x: Tensor, given: Tensor, corruption: Corruption, max_pictures: int, seed: int
) -> dict[str, float]:
    """Return the PSNR of methods that undo a corruption with little or no training."""
    if corruption.factor > 1:
        small, factor = corruption.reduce(x), float(corruption.factor)

        def enlarge(part: Tensor) -> Tensor:  # With a = -3/4: sharper than MATLAB's, and better for drawings.
            return F.interpolate(part, scale_factor=factor, mode="bicubic")

        back = floors.back_projection(small, enlarge, corruption.reduce)
        return {
            "bicubic": psnr(x, enlarge(small).clamp(0, 1)).mean().item(),
            "back_projection": psnr(x, back).mean().item(),
        }
    known = all_of(choose(train, max_pictures, seed))
    noisy = corruption(known, generator(seed, 22))
    denoised = floors.nlm(noisy, (noisy - known).flatten(1).std(1))
    if denoised is None:
        return {}
    index = torch.randperm(len(x), generator=generator(seed, 24))[:max_pictures]
    out = floors.nlm(given[index], (given[index] - x[index]).flatten(1).std(1))
    assert out is not None
    slope, offset = _regression(denoised, known)
    return {"nlm": psnr(x[index], (slope * out + offset).clamp(0, 1)).mean().item()}


def _regression(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Return the slope and the offset of the regression line of `b` on `a`."""
    a, b = a.flatten().double(), b.flatten().double()
    slope = ((a - a.mean()) * (b - b.mean())).mean() / a.var(unbiased=False).clamp_min(1e-12)
    return slope.item(), (b.mean() - slope * a.mean()).item()
