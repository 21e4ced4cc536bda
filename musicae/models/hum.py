"""Mains hum, followed as a sound comes in: a tone and its overtones that stay when all else changes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Hum"]

_TONES = 20  # The fundamental and its overtones.
_BASES = ((49.0, 51.0), (58.8, 61.2))  # Hz; what was played from a tape is a little off.
_STEP = 0.04  # Hz from one candidate to the next.
_AROUND = 50.0  # Hz on both sides of a tone in which the window spreads it.
_LEAST = 1e-20


class Hum(nn.Module):
    """Find the hum in spectra: adaptive line enhancers (Widrow et al. 1975) that share one fundamental.

    The bins at the tones of each candidate are turned back as its tones turn them on from frame to frame, and averaged
    over the frames so far, those long ago counting less. The fundamental is that whose means are the largest beside
    the power there. Nothing is learnt here.

    Parameters
    ----------
    rate : of the samples, in Hz.
    n_fft, hop : of the spectra, in samples.
    memory : frames over which is averaged.
    """

    places: Tensor
    bases: Tensor
    turns: Tensor
    centres: Tensor

    def __init__(self, rate: int, n_fft: int, hop: int, memory: int) -> None:
        super().__init__()
        self.keep = math.exp(-1 / memory)
        self.turn = 2 * math.pi * hop / rate  # Of a tone of 1 Hz, in a frame.
        bases = torch.cat([torch.arange(low, high + _STEP / 2, _STEP) for low, high in _BASES])
        tones = bases[:, None] * torch.arange(1, _TONES + 1)
        self.bins = min(n_fft // 2 + 1, math.ceil((_TONES * _BASES[-1][1] + _AROUND) * n_fft / rate))
        self.register_buffer("bases", bases, persistent=False)
        self.register_buffer("places", (tones * n_fft / rate).round().long().clamp(max=self.bins - 1), persistent=False)
        self.register_buffer("turns", self.keep * torch.exp(1j * self.turn * tones), persistent=False)
        self.register_buffer("centres", torch.arange(self.bins) * (rate / n_fft), persistent=False)

    @torch.no_grad()
    def forward(self, spectra: Tensor, before: Any = None) -> tuple[Tensor, Tensor, Any]:
        """Return the hum in the lowest `bins` of spectra ``(B, T, F)``, complex ``(B, T, bins)``, and how sure it is.

        How sure: ``(B, T, bins, 2)``, about 0 where there is no hum and 1 where there is nothing else; in the bin, and
        over all tones. Last comes what the next block needs, which gives it as `before`.
        """
        low = spectra[..., : self.bins]
        if before is None:
            shape = (len(low), *self.places.shape)
            before = low.new_zeros(shape), low.new_zeros(low[:, 0].shape), low.real.new_zeros(low[:, 0].shape), 0.0
        means, line, power, weight = before
        lines, sure = [], []
        for now in low.unbind(1):
            weight = self.keep * weight + 1.0
            power = self.keep * power + _square(now)
            means = means * self.turns + now[:, self.places]
            score = _likeness(means, power[:, self.places], weight).mean(2)
            base = self._best(score)
            tone = (self.centres / base).round().clamp(1, _TONES)
            near = (self.centres - tone * base).abs() < _AROUND
            line = self.keep * line * torch.exp(1j * self.turn * tone * base) + now
            lines.append(line * near / weight)
            here = _likeness(line, power, weight) * near
            sure.append(torch.stack([here, score.amax(1, keepdim=True).expand_as(here)], -1))
        return torch.stack(lines, 1), torch.stack(sure, 1), (means, line, power, weight)

    def _best(self, score: Tensor) -> Tensor:
        """Return the fundamental ``(B, 1)`` of the highest `score`, between candidates by a parabola."""
        top = score.argmax(1, keepdim=True)
        left, middle, right = (score.gather(1, (top + by).clamp(0, score.shape[1] - 1)) for by in (-1, 0, 1))
        bend = (2 * middle - left - right).clamp_min(1e-9)
        return self.bases[top] + _STEP * (0.5 * (right - left) / bend).clamp(-0.5, 0.5)


def _square(x: Tensor) -> Tensor:
    return x.real.square() + x.imag.square()


def _likeness(mean: Tensor, power: Tensor, weight: float) -> Tensor:
    """Return the share of the power that stays, less what of noise seems to."""
    share = _square(mean) / (weight * power).clamp_min(_LEAST)
    return (share - 1 / weight) / max(1.0 - 1 / weight, 0.01)
