"""Shared by the suites of pictures: PSNR, entropy, principal components, and what codes know of the classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.codec import Codec
from musicae.core import Corruption, Windows
from musicae.evaluations.shared.common import Figures, all_of, choose, mean, pca
from musicae.tensors import metrics
from musicae.tensors.random import generator

__all__ = ["PCA", "entropy", "knowledge", "probe", "psnr"]

_MAX_TRAIN = 60_000  # Training pictures that principal components are computed from.
_MAX_PSNR = 100.0  # In dB; that of a picture without any error.


def psnr(target: Tensor, output: Tensor) -> Tensor:
    """Return the PSNR in dB of each picture, ``(N,)``; one without any error counts as 100 dB."""
    return metrics.psnr(target, output).clamp_max(_MAX_PSNR)


def entropy(x: Tensor) -> Tensor:
    """Return the entropy in nats of pictures whose values are probabilities, ``(N,)``."""
    out: Tensor = (torch.special.entr(x) + torch.special.entr(1 - x)).flatten(1).sum(1)
    return out


class PCA:
    """The first `n` principal components of training pictures."""

    def __init__(self, train: Windows, n: int) -> None:
        self.centre, self.basis = pca(all_of(choose(train, _MAX_TRAIN, 0)).flatten(1), n)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes ``(N, n)`` of ``(N, C, *S)``."""
        return (x.flatten(1) - self.centre) @ self.basis

    def restore(self, x: Tensor) -> Tensor:
        """Return `x` ``(N, C, *S)`` reconstructed from its codes, within 0 .. 1."""
        return (self.encode(x) @ self.basis.T + self.centre).view_as(x).clamp(0, 1)


def knowledge(
    figures: Figures,
    codec: Codec,
    train: Windows,
    test: Windows,
    components: PCA,
    corruption: Corruption | None,
    known: int,
    seed: int,
) -> None:
    """Add `probe_accuracy` to `figures`: how well a linear classifier predicts the classes from codes.

    Its floor is the same classifier on as many principal components. Nothing is measured without labels, nor for a
    conditional model, whose encoder gets them.
    """
    if train.labels is None or test.labels is None or codec.model.condition is not None:
        return
    chosen = choose(train, known, seed)
    assert chosen.labels is not None
    x, y = all_of(chosen), all_of(test)
    if corruption:
        x, y = corruption(x, generator(seed, 23)), corruption(y, generator(seed, 21))
    hits = probe(codec.encode(x).mean, chosen.labels, codec.encode(y).mean, test.labels)
    mean(figures, "probe_accuracy", hits)
    floor = probe(components.encode(x), chosen.labels, components.encode(y), test.labels)
    figures["floor_probe_accuracy"] = floor.mean().item()


def probe(train: Tensor, labels: Tensor, test: Tensor, truth: Tensor) -> Tensor:
    """Learn the `labels` ``(N,)`` of codes `train` ``(N, D)``; return 1 where right on `test` ``(M, D)``, else 0.

    `truth` ``(M,)`` are the labels of `test`. Multinomial logistic regression on standardised codes with a little
    weight decay, by L-BFGS.
    """
    centre, scale = train.mean(0), train.std(0).clamp_min(1e-6)
    train, test, labels, truth = (train - centre) / scale, (test - centre) / scale, labels.long(), truth.long()
    weight = torch.zeros(int(labels.max()) + 1, train.shape[1], requires_grad=True)
    bias = torch.zeros(len(weight), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(F.linear(train, weight, bias), labels) + 1e-4 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return (F.linear(test, weight, bias).argmax(1) == truth).float()
