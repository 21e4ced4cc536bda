"""Timing and loudness of grooves: how far off they are, how they are distributed, and what naive rivals say of them."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Windows
from musicae.evaluations.shared.common import Figures, all_of, choose, pooled
from musicae.tensors import groove
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES

__all__ = ["Rivals", "distribution", "errors", "f1"]

_MAX_VELOCITY = 127
_MAX_TRAIN = 20_000  # Training windows that rivals know.
_BINS = {"timing": torch.linspace(-100.0, 100.0, 41), "velocity": torch.linspace(0.0, 128.0, 33)}
_SMOOTHING = 1.0  # Hits added to each bin, so that none is empty.
_QUANTILES = (torch.arange(1000) + 0.5) / 1000
_THRESHOLDS = torch.linspace(0.05, 0.6, 23)


def _values(x: Tensor, milliseconds: Tensor) -> dict[str, Tensor]:
    """Return the timing of grooves ``(N, 27, T)`` in ms, and their velocities, ``(N, 9, T)``; steps last ``(N, T)``."""
    return {"timing": x[:, OFFSETS] * milliseconds.unsqueeze(1), "velocity": x[:, VELOCITIES] * _MAX_VELOCITY}


def errors(
    figures: Figures, prefix: str, x: Tensor, y: Tensor, milliseconds: Tensor, hits: Tensor | None = None
) -> None:
    """Add the mean absolute errors of the timing, in ms, and the velocities of grooves `y` for `x` ``(N, 27, T)``.

    They count at the hits of `x`, or at `hits` ``(N, 9, T)``; steps last `milliseconds` ``(N, T)``. Prefixes that begin
    with ``floor_`` are those of rivals.
    """
    struck = x[:, HITS] > 0 if hits is None else hits
    true, made = _values(x, milliseconds), _values(y, milliseconds)
    rival, name = ("floor_", prefix.removeprefix("floor_")) if prefix.startswith("floor_") else ("", prefix)
    for what, values in true.items():
        off = ((made[what] - values).abs() * struck).sum((1, 2))
        pooled(figures, rival, f"{name}{what}_error", off, struck.sum((1, 2)))


def distribution(figures: Figures, prefix: str, x: Tensor, y: Tensor, milliseconds: tuple[Tensor, Tensor]) -> None:
    """Add how the timing and the velocities of the hits of grooves `y` are distributed, against those of `x`.

    ``..._spread`` is their standard deviation over that of real ones, ``..._spread_within`` that around the mean of
    each window; ``..._distance`` the Wasserstein distance, in ms or velocities; ``..._kl`` the Kullback-Leibler
    divergence of their histograms from the real ones, in nats. Steps last `milliseconds`, ``(N, T)`` of both.
    """
    real, made = _values(x, milliseconds[0]), _values(y, milliseconds[1])
    for what in real:
        (a, centred), (b, level) = (
            _struck(values[what], grooves[:, HITS] > 0) for values, grooves in ((real, x), (made, y))
        )
        figures[f"{prefix}{what}_spread"] = (b.std() / a.std()).item()
        figures[f"{prefix}{what}_spread_within"] = (level.std() / centred.std()).item()
        figures[f"{prefix}{what}_distance"] = (_quantiles(a) - _quantiles(b)).abs().mean().item()
        p, q = (_shares(values, _BINS[what]) for values in (a, b))
        figures[f"{prefix}{what}_kl"] = (p * (p / q).log()).sum().item()


def _struck(values: Tensor, struck: Tensor) -> tuple[Tensor, Tensor]:
    """Return the values at hits, ``(M,)``, and how far each is from the mean of its window."""
    mean = (values * struck).sum((1, 2), keepdim=True) / struck.sum((1, 2), keepdim=True).clamp_min(1)
    return values[struck], (values - mean)[struck]


def _quantiles(values: Tensor) -> Tensor:
    ordered = values.sort().values
    return ordered[(_QUANTILES * len(ordered)).long()]


def _shares(values: Tensor, bins: Tensor) -> Tensor:
    counts = torch.histc(values.clamp(bins[0].item(), bins[-1].item()), len(bins) - 1, bins[0].item(), bins[-1].item())
    return (counts + _SMOOTHING) / (counts + _SMOOTHING).sum()


def f1(figures: Figures, prefix: str, name: str, x: Tensor, y: Tensor) -> None:
    """Add the F1 score of the hits `y` ``(N, 9, T)`` bool for those of `x`, over all windows together."""
    pooled(figures, prefix, name, 2 * (x & y).sum((1, 2)), (x.sum((1, 2)) + y.sum((1, 2))))


class Rivals:
    """What can be said without a network, by the training windows: means of each drum and step, and whole windows."""

    def __init__(self, train: Windows) -> None:
        x = all_of(choose(train, _MAX_TRAIN, 0))
        self.x, struck = x, x[:, HITS] > 0
        count = struck.sum(0).clamp_min(1)
        self.offset, self.velocity = ((x[:, rows] * struck).sum(0) / count for rows in (OFFSETS, VELOCITIES))
        self.median = x[:, VELOCITIES][struck].median().item()
        self.tapped = groove.tapped(x)[:, [0, VELOCITIES.start]].flatten(1)
        taps = struck.any(1)
        self.often = struck.float().sum(0) / taps.sum(0).clamp_min(1)
        self.threshold = _best_threshold(self.often.expand_as(struck), struck, taps)

    def at_places(self, x: Tensor) -> Tensor:
        """Return grooves ``(N, 27, T)`` with the mean loudness and timing of each drum and step."""
        made = x.clone()
        made[:, OFFSETS], made[:, VELOCITIES] = self.offset, self.velocity
        return made

    def on_grid(self, x: Tensor) -> Tensor:
        """Return grooves ``(N, 27, T)`` on the grid, all hits as loud as the median one."""
        made = x.clone()
        made[:, OFFSETS], made[:, VELOCITIES] = 0.0, self.median
        return made

    def neighbours(self, x: Tensor) -> Tensor:
        """Return grooves ``(N, 27, T)`` played as the training window with the most similar hits, or as `at_places`."""
        rows, own = x[:, HITS].flatten(1), self.x[:, HITS].flatten(1)
        made = self.at_places(x)
        near = self.x[_nearest(rows, own)]
        struck = near[:, HITS] > 0
        for at in (OFFSETS, VELOCITIES):
            made[:, at] = torch.where(struck, near[:, at], made[:, at])
        return made

    def pattern(self, taps: Tensor) -> Tensor:
        """Return the hits that are most common at taps ``(N, T)``, bool ``(N, 9, T)``."""
        return (self.often > self.threshold) & taps.unsqueeze(1)

    def answers(self, tapped: Tensor) -> Tensor:
        """Return the hits of the training windows that are tapped most like grooves as `tapped`, bool ``(N, 9, T)``."""
        rows = tapped[:, [0, VELOCITIES.start]].flatten(1)
        return self.x[_nearest(rows, self.tapped)][:, HITS] > 0


def _nearest(rows: Tensor, own: Tensor) -> Tensor:
    """Return which of the rows ``(M, W)`` is nearest to each of ``(N, W)``: ``(N,)``."""
    size = own.square().sum(1)
    return torch.cat([(size - 2 * part @ own.T).argmin(1) for part in torch.split(rows, 256)])


def _best_threshold(often: Tensor, struck: Tensor, taps: Tensor) -> float:
    """Return the share from which on a hit is taken where there is a tap, for the best F1 score."""
    scores = []
    for threshold in _THRESHOLDS:
        made = (often > threshold) & taps.unsqueeze(1)
        scores.append((made & struck).sum() / (made.sum() + struck.sum()))
    return _THRESHOLDS[torch.stack(scores).argmax()].item()
