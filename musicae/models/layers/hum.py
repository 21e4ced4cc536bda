"""Mains hum, followed as a sound comes in: a tone and its overtones that stay while all else changes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from musicae.core import State

__all__ = ["Hum"]

_TONES = 20  # The fundamental and its overtones.
_BASES = ((49.0, 51.0), (58.8, 61.2))  # Hz; what was played from a tape is a little off.
_STEP = 0.04  # Hz from one candidate to the next.
_AROUND = 50.0  # Hz on both sides of a tone in which the window spreads it.
_MIN_POWER = 1e-20  # Of a bin; silence has no hum.
_MIN_CURVATURE = 1e-9  # Of the parabola between candidates; a flat one has its top in the middle.
_MIN_EXCESS = 0.01  # By how much 1 is at least above the share that noise seems to have; matters to the first frame.


class Hum(nn.Module):
    """Find the hum in spectra: adaptive line enhancers (Widrow et al. 1975) that share one fundamental.

    The bins at the tones of each candidate are turned back as its tones turn them on from frame to frame, and averaged
    over the frames so far, those long ago counting less. The fundamental is that whose means are the largest beside
    the power there. Nothing is learned here.

    Parameters
    ----------
    sample_rate : in Hz.
    n_fft, hop_length : of the spectra, in samples.
    memory : frames over which is averaged.
    """

    places: Tensor
    bases: Tensor
    turns: Tensor
    centres: Tensor

    def __init__(self, sample_rate: int, n_fft: int, hop_length: int, memory: int) -> None:
        super().__init__()
        self.decay = math.exp(-1 / memory)
        self.turn = 2 * math.pi * hop_length / sample_rate  # Of a tone of 1 Hz, in a frame.
        bases = torch.cat([torch.arange(low, high + _STEP / 2, _STEP) for low, high in _BASES])
        tones = bases[:, None] * torch.arange(1, _TONES + 1)
        self.bins = min(n_fft // 2 + 1, math.ceil((_TONES * _BASES[-1][1] + _AROUND) * n_fft / sample_rate))
        places = (tones * n_fft / sample_rate).round().long().clamp(max=self.bins - 1)
        self.register_buffer("bases", bases, persistent=False)
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("turns", self.decay * torch.exp(1j * self.turn * tones), persistent=False)
        self.register_buffer("centres", torch.arange(self.bins) * (sample_rate / n_fft), persistent=False)

    def initial_state(self, batch: int) -> State:
        """Return the state before the first frame of `batch` sounds.

        It holds the sums of the tones ``(B, candidates, tones, 2)`` and of the hum ``(B, bins, 2)`` as they turn,
        complex numbers as pairs, of the power ``(B, bins)``, and the sum of what the frames count, a float64 scalar.
        """
        zeros = self.centres.new_zeros
        weight = torch.zeros((), dtype=torch.float64)  # On the CPU: not every accelerator has float64.
        return zeros(batch, *self.places.shape, 2), zeros(batch, self.bins, 2), zeros(batch, self.bins), weight

    @torch.no_grad()
    def forward(self, spectra: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Return the hum in the lowest `bins` of spectra ``(B, T, F)``, complex ``(B, T, bins)``, and how sure it is.

        How sure: ``(B, T, bins, 2)``, about 0 where there is no hum and 1 where there is nothing else; in the bin, and
        over all tones. Last comes the state to give with the next block.
        """
        tones, line, power, weight = state
        tones, line = torch.view_as_complex(tones), torch.view_as_complex(line)
        lines, certainties = [], []
        for now in spectra[..., : self.bins].unbind(1):
            weight = self.decay * weight + 1.0
            power = self.decay * power + _square(now)
            tones = tones * self.turns + now[:, self.places]
            score = _tonality(tones, power[:, self.places], weight).mean(2)
            base = self._best(score)
            tone = (self.centres / base).round().clamp(1, _TONES)
            near = (self.centres - tone * base).abs() < _AROUND
            line = self.decay * line * torch.exp(1j * self.turn * tone * base) + now
            lines.append(line * near / weight)
            here = _tonality(line, power, weight) * near
            certainties.append(torch.stack([here, score.amax(1, keepdim=True).expand_as(here)], -1))
        after = torch.view_as_real(tones), torch.view_as_real(line), power, weight
        return torch.stack(lines, 1), torch.stack(certainties, 1), after

    def _best(self, score: Tensor) -> Tensor:
        """Return the fundamental ``(B, 1)`` of the highest `score`, between candidates by a parabola."""
        top = score.argmax(1, keepdim=True)
        left, middle, right = (score.gather(1, (top + by).clamp(0, score.shape[1] - 1)) for by in (-1, 0, 1))
        curvature = (2 * middle - left - right).clamp_min(_MIN_CURVATURE)
        return self.bases[top] + _STEP * (0.5 * (right - left) / curvature).clamp(-0.5, 0.5)


def _square(x: Tensor) -> Tensor:
    return x.real.square() + x.imag.square()


def _tonality(total: Tensor, power: Tensor, weight: Tensor) -> Tensor:
    """Return the share of the power that stays a steady tone, less what of noise seems to."""
    share = _square(total) / (weight * power).clamp_min(_MIN_POWER)
    return (share - 1 / weight) / (1.0 - 1 / weight).clamp_min(_MIN_EXCESS)
