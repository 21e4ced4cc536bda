"""Mixing the channels of a sound to one, without those that would cancel others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mixdown"]

Samples = NDArray[np.float32]

_HOPS_PER_SECOND = 20  # How often the gains are chosen.
_MEMORY = 0.5  # Seconds; older sound counts less by e for each.
_LOST, _KEPT = 0.4, 0.6  # How much of a channel the sum holds: below, it is lost, and from the second on kept again.
_AUDIBLE = 0.01  # Of the loudest channel's power; quieter ones may be lost.
_LOUDER = 4.0  # By what factor in power another channel must be louder to take over.
_OPPOSED = -0.25  # A correlation with the mix below which a channel is left out.


class Mixdown:
    """Mix sound to one channel, block by block: the mean, unless channels cancel each other.

    Where they do (one of two is inverted), it is the louder one, with those others that do not cancel it. The gains
    change over hops of 50 ms, by the sound of the last half second, and a hop ahead, so that no onset is lost. The
    blocks' sizes do not matter.

    Parameters
    ----------
    rate : in Hz.
    channels : of the blocks given.

    `cancelled` is the share of the sound, in hops, that was not mixed by the mean.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.channels = channels
        self.hop = max(1, rate // _HOPS_PER_SECOND)
        self._decay = np.exp(-self.hop / (rate * _MEMORY))
        self._waiting = np.zeros((0, channels), np.float32)
        self._mean = np.full(channels, 1 / channels)
        self._products = np.zeros((channels, channels))  # Of each channel with each other, summed over the past.
        self._gains: NDArray[np.float64] | None = None  # At the start of what is waiting.
        self._lead, self._opposed = 0, False  # The channel to keep, while some cancel.
        self._hops = self._odd = 0

    @property
    def cancelled(self) -> float:
        """The share of the hops so far that were not mixed by the mean."""
        return self._odd / max(1, self._hops)

    def process(self, block: Samples) -> Samples:
        """Return the next samples ``(n,)`` of the mix, for a block ``(frames, channels)``; n may be 0."""
        if self.channels == 1:
            return block[:, 0]
        self._waiting = np.concatenate([self._waiting, block])
        parts = []
        while len(self._waiting) >= 2 * self.hop:
            parts.append(self._next(self._waiting[: self.hop], self._waiting[self.hop : 2 * self.hop]))
            self._waiting = self._waiting[self.hop :]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def flush(self) -> Samples:
        """Return what is left, ``(n,)``, at the end of the sound."""
        rest, self._waiting = self._waiting, self._waiting[:0]
        if not len(rest):
            return np.zeros(0, np.float32)
        first, last = rest[: self.hop], rest[self.hop :]
        parts = [self._next(first, last)]
        if len(last):
            parts.append(self._next(last, last[:0]))
        return np.concatenate(parts)

    def _next(self, hop: Samples, following: Samples) -> Samples:
        """Return the mix of a hop, which ends with the gains that the one that follows begins with."""
        if self._gains is None:
            self._gains = self._chosen(hop)
        start = self._gains
        end = self._gains = self._chosen(following) if len(following) else start
        self._hops += 1
        if np.array_equal(start, self._mean) and np.array_equal(end, self._mean):
            mean: Samples = hop.mean(1)
            return mean
        self._odd += 1
        ramp = np.linspace(0, 1, len(hop), endpoint=False)[:, None]
        mixed: Samples = (hop * (start + ramp * (end - start))).sum(1).astype(np.float32)
        return mixed

    def _chosen(self, hop: Samples) -> NDArray[np.float64]:
        """Return the gains ``(channels,)`` for a hop and the sound before it."""
        wide = hop.astype(np.float64)
        self._products = self._decay * self._products + wide.T @ wide
        powers = np.diag(self._products)
        audible = powers > _AUDIBLE * powers.max()
        if not audible.any():
            return self._mean
        # By how much each channel is in the sum: 0 if it is cancelled, 1 if it has nothing in common with the others.
        held = float((np.abs(self._products.sum(1))[audible] / powers[audible]).min())
        if held >= (_KEPT if self._opposed else _LOST):
            self._opposed = False
            return self._mean
        if not self._opposed or powers.max() > _LOUDER * powers[self._lead]:
            self._lead = int(powers.argmax())
        self._opposed = True
        return self._without_opposed(powers)

    def _without_opposed(self, powers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return equal gains for the leading channel and all that do not cancel it or each other."""
        taken = np.zeros(self.channels, bool)
        taken[self._lead] = True
        for channel in np.argsort(-powers, kind="stable"):
            if taken[channel] or not powers[channel]:
                continue
            mix = self._products[np.ix_(taken, taken)].sum()
            common = self._products[channel, taken].sum()
            taken[channel] = common >= _OPPOSED * np.sqrt(max(mix, 0) * powers[channel])
        gains: NDArray[np.float64] = taken / taken.sum()
        return gains
