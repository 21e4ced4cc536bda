"""Pictures: how well they come back, whole, noisy or coarse, beside what simple rivals do; what their codes know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import metrics
from ..codec import Codec, generator
from ..core import Corruption, Windows
from . import floors
from .common import Figures, all_of, choose, is_bernoulli, mean, other_set, pca, rivals

__all__ = ["PCA", "entropy", "knowledge", "pictures", "probe", "psnr"]

_KNOWN = 60_000  # Training pictures that principal components are computed from, at the most.
_BEST = 100.0  # What a picture that comes back without any error counts as, in dB.


def pictures(
    codec: Codec, train: Windows, test: Windows, folders: Mapping[str, Path], *, outliers: str = "",
    known: int = 20_000, classical: int = 500, seed: int = 0,
) -> Figures:  # fmt: skip
    """Measure what comes back of pictures, which go in as the preset's corruption leaves them.

    Figures: `psnr` in dB and `mse`, both means over pictures, and `bce` in nats a picture where values are
    probabilities. Rivals: `floor_pca` (as many principal components as the code has numbers),
    `floor_input` (what goes in), `floor_nlm` (non-local means, told the noise's deviation and the best affine map
    after it; on `classical` pictures), `floor_bicubic` and `floor_back_projection`; `floor_psnr` is the best of them.
    `floor_bce` is the entropy of the pictures, which nothing can go below.

    A model with a code has in addition `active`, how many of its numbers are not 0, where many are;
    `probe_accuracy` (see `knowledge`; learnt on `known` pictures); and `auroc_<outliers>`: how well its error tells
    the pictures of the data set `outliers` from those of its own.
    """
    x, cond, corrupt = all_of(test), codec.labels_of(test), codec.corruption()
    given = corrupt(x, generator(seed, 21)) if corrupt else x
    out = codec.restore(given, cond).clamp(0, 1)
    figures: Figures = {}
    mean(figures, "psnr", psnr(x, out))
    mean(figures, "mse", _error(x, out))
    if is_bernoulli(codec):
        mean(figures, "bce", _cost(codec, given, x, cond))
        figures["floor_bce"] = entropy(x).mean().item()
    floor: dict[str, float] = {}
    components = None
    if codec.model.latent_size:
        components = PCA(train, codec.model.latent_size)
        floor["pca"] = psnr(x, components.restore(given)).mean().item()
        used = codec.encode(given, cond).mean.ne(0).float().sum(1)
        if used.mean() < 0.99 * codec.model.latent_size:
            mean(figures, "active", used)
        knowledge(figures, codec, train, test, components, corrupt, known, seed)
    if corrupt:
        floor["input"] = psnr(x, given.clamp(0, 1)).mean().item()
        floor |= _simple(train, x, given, corrupt, classical, seed)
    rivals(figures, "psnr", floor)
    if outliers and components is not None and corrupt is None:
        other = other_set(codec, outliers, folders)
        if other is not None:
            y = all_of(other)
            name = f"auroc_{outliers.replace('-', '_')}"
            again = codec.restore(y, codec.labels_of(other)).clamp(0, 1)
            figures[name] = metrics.auroc(_error(x, out), _error(y, again))
            simple = (_error(x, components.restore(x)), _error(y, components.restore(y)))
            figures[f"floor_{name}"] = metrics.auroc(*simple)
    return figures


def psnr(target: Tensor, output: Tensor) -> Tensor:
    """Return the PSNR in dB of each picture, ``(N,)``; one without any error counts as 100 dB."""
    return metrics.psnr(target, output).clamp_max(_BEST)


def entropy(x: Tensor) -> Tensor:
    """Return the entropy in nats of pictures whose values are probabilities, ``(N,)``."""
    out: Tensor = (torch.special.entr(x) + torch.special.entr(1 - x)).flatten(1).sum(1)
    return out


def _error(x: Tensor, out: Tensor) -> Tensor:
    return (x - out).square().flatten(1).mean(1)


@torch.no_grad()
def _cost(codec: Codec, given: Tensor, x: Tensor, cond: Tensor | None, batch: int = 256) -> Tensor:
    """Return -log p(x | given) in nats, ``(N,)``: of a model with a code, given the code's mean."""
    if codec.model.latent_size:
        return codec.nll(codec.encode(given, cond).mean, x, cond)
    model: Any = codec.model
    parts = []
    for i in range(0, len(x), batch):
        labels = None if cond is None else cond[i : i + batch].to(codec.device)
        params = model.restore(given[i : i + batch].to(codec.device), labels)
        parts.append(codec.likelihood.nll(params.float(), x[i : i + batch].to(codec.device)).cpu())
    return torch.cat(parts)


class PCA:
    """The first `n` principal components of training pictures."""

    def __init__(self, train: Windows, n: int) -> None:
        self.centre, self.basis = pca(all_of(choose(train, _KNOWN, 0)).flatten(1), n)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes ``(N, n)`` of ``(N, C, *S)``."""
        return (x.flatten(1) - self.centre) @ self.basis

    def restore(self, x: Tensor) -> Tensor:
        """Return what the codes of `x` ``(N, C, *S)`` keep of it, within 0 .. 1."""
        return (self.encode(x) @ self.basis.T + self.centre).view_as(x).clamp(0, 1)


def knowledge(
    figures: Figures, codec: Codec, train: Windows, test: Windows, components: PCA, corrupt: Corruption | None,
    known: int, seed: int,
) -> None:  # fmt: skip
    """Put `probe_accuracy` into `figures`: how well a linear classifier tells the classes by the codes alone.

    Its floor is the same classifier on as many principal components. Nothing is measured without labels,
    nor of a conditional model, whose encoder is told them.
    """
    if train.labels is None or test.labels is None or bool(getattr(codec.model, "classes", 0)):
        return
    chosen = choose(train, known, seed)
    assert chosen.labels is not None
    before, now = all_of(chosen), all_of(test)
    if corrupt:
        before, now = corrupt(before, generator(seed, 23)), corrupt(now, generator(seed, 21))
    hits = probe(codec.encode(before).mean, chosen.labels, codec.encode(now).mean, test.labels)
    mean(figures, "probe_accuracy", hits)
    floor = probe(components.encode(before), chosen.labels, components.encode(now), test.labels)
    figures["floor_probe_accuracy"] = floor.mean().item()


def probe(known: Tensor, labels: Tensor, seen: Tensor, truth: Tensor) -> Tensor:
    """Learn the `labels` ``(N,)`` of codes `known` ``(N, D)``; return 1 where it is right on `seen` ``(M, D)``, else 0.

    Multinomial logistic regression on standardised codes with a little weight decay, by L-BFGS.
    """
    centre, scale = known.mean(0), known.std(0).clamp_min(1e-6)
    known, seen, labels, truth = (known - centre) / scale, (seen - centre) / scale, labels.long(), truth.long()
    weight = torch.zeros(int(labels.max()) + 1, known.shape[1], requires_grad=True)
    bias = torch.zeros(len(weight), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(F.linear(known, weight, bias), labels) + 1e-4 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return (F.linear(seen, weight, bias).argmax(1) == truth).float()


def _simple(train: Windows, x: Tensor, given: Tensor, corrupt: Any, most: int, seed: int) -> dict[str, float]:
    """Return the PSNR of what undoes a corruption without having learnt anything, or next to nothing."""
    if hasattr(corrupt, "reduce"):
        small, factor = corrupt.reduce(x), float(corrupt.factor)

        def enlarge(part: Tensor) -> Tensor:  # With a = -3/4, which is sharper than MATLAB's and nearer to drawings.
            return F.interpolate(part, scale_factor=factor, mode="bicubic")

        back = floors.back_projection(small, enlarge, corrupt.reduce)
        return {
            "bicubic": psnr(x, enlarge(small).clamp(0, 1)).mean().item(),
            "back_projection": psnr(x, back).mean().item(),
        }
    known = all_of(choose(train, most, seed))
    noisy = corrupt(known, generator(seed, 22))
    denoised = floors.nlm(noisy, (noisy - known).flatten(1).std(1))
    if denoised is None:
        return {}
    index = torch.randperm(len(x), generator=generator(seed, 24))[:most]
    out = floors.nlm(given[index], (given[index] - x[index]).flatten(1).std(1))
    assert out is not None
    slope, offset = _line(denoised, known)
    return {"nlm": psnr(x[index], (slope * out + offset).clamp(0, 1)).mean().item()}


def _line(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Return the slope and the offset of the straight line by which `a` tells `b` best."""
    a, b = a.flatten().double(), b.flatten().double()
    slope = ((a - a.mean()) * (b - b.mean())).mean() / a.var(unbiased=False).clamp_min(1e-12)
    return slope.item(), (b.mean() - slope * a.mean()).item()
