"""A test of samples: a small classifier, trained here, tries to tell them from real windows of notes.

How well it can on windows that it was not trained on says how unlike they are (Lopez-Paz and Oquab 2017, "Revisiting
classifier two-sample tests").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.tensors import metrics
from musicae.tensors.random import generator

__all__ = ["Classifier", "Halves", "auroc_spread", "classifier_auroc", "halves"]

_STEPS, _BATCH, _LR = 300, 64, 2e-3  # Of training; a batch has as many windows of each kind.
_WIDTH, _BEATS = 64, 4  # Of the network; the beats in a bar.

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""Changes windows ``(B, C, T)`` in a way that keeps them real (transposes them)."""


class Halves(NamedTuple):
    """Windows ``(N, C, T)`` to train a classifier on, and those that it is tested on."""

    train: Tensor
    test: Tensor


class Classifier(nn.Module):
    """Convolutions over beats, bars, and neighbouring bars of ``(B, C, T)``; returns a logit for each window, ``(B,)``.

    `beat` is the length of a beat in steps; what is beyond the last whole bar is ignored.
    """

    def __init__(self, channels: int, beat: int) -> None:
        super().__init__()
        self.beats = nn.Conv1d(channels, _WIDTH, beat, stride=beat)
        self.bars = nn.Conv1d(_WIDTH, _WIDTH, _BEATS, stride=_BEATS)
        self.neighbours = nn.ModuleList(nn.Conv1d(_WIDTH, _WIDTH, 3, padding=1) for _ in range(2))
        self.dropout, self.head = nn.Dropout(0.2), nn.Linear(3 * _WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B,)`` of being made up."""
        beats = F.relu(self.beats(x))
        bars = F.relu(self.bars(self.dropout(beats)))
        for conv in self.neighbours:
            bars = bars + F.relu(conv(bars))
        out: Tensor = self.head(self.dropout(torch.cat([beats.mean(2), bars.mean(2), bars.amax(2)], dim=1)))
        return out.squeeze(1)


def halves(pieces: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return the numbers of the windows in either half of a set, `pieces` ``(N,)`` telling where each comes from.

    No piece is in both, so that a classifier gains nothing by knowing the tunes; a single piece is cut in two.
    """
    names, counts = torch.unique(pieces, return_counts=True)
    order = torch.randperm(len(names), generator=generator(seed, 51))
    ends = counts[order].cumsum(0)
    chosen = order[: max(1, int((ends <= len(pieces) / 2).sum()))]
    first = torch.isin(pieces, names[chosen]) if len(names) > 1 else torch.arange(len(pieces)) < len(pieces) // 2
    return first.nonzero().squeeze(1), (~first).nonzero().squeeze(1)


def classifier_auroc(real: Halves, made: Halves, beat: int, augment: Augment, seed: int) -> tuple[float, float]:
    """Return how well a classifier tells made-up windows from real ones: AUROC, .5 for not at all, and its spread.

    Windows are ``(N, C, T)``, of bytes: `augment` gets them in batches and returns values, perhaps in more channels,
    such as how the parts relate. The network, its training
    and its seed are fixed, so that figures can be compared.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # For the weights, and dropout.
        classifier = Classifier(augment(real.train[:1], generator(seed)).shape[1], beat)
        with torch.enable_grad():
            _train(classifier, real.train, made.train, augment, seed)
    inliers, outliers = (_scores(classifier.eval(), half, augment) for half in (real.test, made.test))
    found = metrics.auroc(inliers, outliers)
    return found, auroc_spread(found, len(inliers), len(outliers))


def _train(classifier: Classifier, real: Tensor, made: Tensor, augment: Augment, seed: int) -> None:
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=_LR, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LR, total_steps=_STEPS + 1)
    labels = torch.cat([torch.zeros(_BATCH), torch.ones(_BATCH)])
    for step in range(_STEPS):
        rng = generator(seed, 52, step)
        x = torch.cat([kind[torch.randint(len(kind), (_BATCH,), generator=rng)] for kind in (real, made)])
        loss = F.binary_cross_entropy_with_logits(classifier(augment(x, rng)), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()


@torch.no_grad()
def _scores(classifier: Classifier, x: Tensor, augment: Augment) -> Tensor:
    rng = generator(0)
    return torch.cat([classifier(augment(part, rng)) for part in torch.split(x, 2 * _BATCH)])


def auroc_spread(value: float, inliers: int, outliers: int) -> float:
    """Return half of the 95 % interval of an AUROC of so many inliers and outliers (Hanley and McNeil 1982)."""
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    variance = value * (1 - value) + (outliers - 1) * (q1 - value**2) + (inliers - 1) * (q2 - value**2)
    return 1.96 * math.sqrt(max(variance, 0.0) / (inliers * outliers))
