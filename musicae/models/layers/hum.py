"""Tracking of mains hum in a stream: a tone and its overtones that stay while all else changes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from musicae.core import State

__all__ = ["Hum"]

_TONES = 20  # The fundamental and its overtones.
_BASES = ((49.0, 51.0), (58.8, 61.2))  # Hz; a tape may play a little fast or slow.
_STEP = 0.04  # Hz from one candidate to the next.
_SPREAD = 50.0  # Hz on both sides of a tone over which the window spreads it.
_MIN_POWER = 1e-20  # Of a bin, in a division: silence has no hum.
_MIN_CURVATURE = 1e-9  # Of the parabola between candidates; a flat one peaks in the middle.
_MIN_EXCESS = 0.01  # Of 1 over the share that noise seems to have; only the first frame needs it.


class Hum(nn.Module):
    """Find the hum in spectra: adaptive line enhancers (Widrow et al. 1975) that share one fundamental.

    Each candidate's tones advance the phase of their bins from frame to frame. That advance is undone, and the bins are
    averaged over the frames so far; old ones count less. The fundamental is the candidate with the largest means
    relative to the power. It has no weights to train.

    Parameters
    ----------
    sample_rate : in Hz.
    n_fft, hop_length : of the spectra, in samples.
    memory : number of frames in the average.
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
        self.bins = min(n_fft // 2 + 1, math.ceil((_TONES * _BASES[-1][1] + _SPREAD) * n_fft / sample_rate))
        places = (tones * n_fft / sample_rate).round().long().clamp(max=self.bins - 1)
        self.register_buffer("bases", bases, persistent=False)
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("turns", self.decay * torch.exp(1j * self.turn * tones), persistent=False)
        self.register_buffer("centres", torch.arange(self.bins) * (sample_rate / n_fft), persistent=False)

    def initial_state(self, batch: int) -> State:
        """Return the state before the first frame of `batch` sounds.

        It holds the rotating sums of the tones ``(B, candidates, tones, 2)`` and of the hum ``(B, bins, 2)``, complex
        numbers as pairs, the sum of the power ``(B, bins)``, and the sum of the frames' weights, a float64 scalar.
        """
        zeros = self.centres.new_zeros
        weight = torch.zeros((), dtype=torch.float64)  # On the CPU: not every accelerator has float64.
        return zeros(batch, *self.places.shape, 2), zeros(batch, self.bins, 2), zeros(batch, self.bins), weight

    @torch.no_grad()
    def forward(self, spectra: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Return the hum in the lowest `bins` of spectra ``(B, T, F)``, complex ``(B, T, bins)``, and its certainty.

        The certainty ``(B, T, bins, 2)`` is about 0 where there is no hum and 1 where there is nothing else: in the
        bin, and over all tones. Last comes the state for the next block.
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
            near = (self.centres - tone * base).abs() < _SPREAD
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
    """Return the share of the power that is a steady tone, less the share that noise seems to have."""
    share = _square(total) / (weight * power).clamp_min(_MIN_POWER)
    return (share - 1 / weight) / (1.0 - 1 / weight).clamp_min(_MIN_EXCESS)
