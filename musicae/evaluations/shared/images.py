"""What the suites of pictures share: PSNR, entropy, principal components, and what codes know of the classes."""

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

_MAX_KNOWN = 60_000  # Training pictures that principal components are computed from, at the most.
_MAX_PSNR = 100.0  # What a picture that comes back without any error counts as, in dB.


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
        self.centre, self.basis = pca(all_of(choose(train, _MAX_KNOWN, 0)).flatten(1), n)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes ``(N, n)`` of ``(N, C, *S)``."""
        return (x.flatten(1) - self.centre) @ self.basis

    def restore(self, x: Tensor) -> Tensor:
        """Return what the codes of `x` ``(N, C, *S)`` keep of it, within 0 .. 1."""
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
    """Put `probe_accuracy` into `figures`: how well a linear classifier tells the classes by the codes alone.

    Its floor is the same classifier on as many principal components. Nothing is measured without labels,
    nor of a conditional model, whose encoder is given them.
    """
    if train.labels is None or test.labels is None or codec.model.condition is not None:
        return
    chosen = choose(train, known, seed)
    assert chosen.labels is not None
    before, now = all_of(chosen), all_of(test)
    if corruption:
        before, now = corruption(before, generator(seed, 23)), corruption(now, generator(seed, 21))
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
