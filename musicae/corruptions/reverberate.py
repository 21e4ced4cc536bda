"""Sounds with the echo of a room."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Decibels, SampleRate, Weight
from musicae.tensors.dsp import NOISE_FLOOR

__all__ = ["Reverberate"]

_MIN_PREDELAY, _PREDELAY_RANGE = 0.002, 0.018  # Seconds until the first reflection.


class Reverberate(Corruption):
    """Add the echo of a random room to each example: its impulse response is decaying noise (Moorer 1979).

    Parameters
    ----------
    sample_rate : in Hz.
    min_rt60, max_rt60 : range of the reverberation time, the seconds in which echoes fall by 60 dB; uniform over the
        octaves.
    max_drr_db, min_drr_db : range of the direct-to-reverberant ratio, uniform.
    """

    def __init__(
        self,
        sample_rate: SampleRate = 16_000,
        min_rt60: Weight = 0.15,
        max_rt60: Weight = 1.2,
        max_drr_db: Decibels = 15.0,
        min_drr_db: Decibels = -3.0,
    ) -> None:
        if sample_rate < 1 or not 0 < min_rt60 <= max_rt60 or min_drr_db > max_drr_db:
            raise MusicaeError(
                "[corruption] sample_rate and min_rt60 must be over 0, max_rt60 not below min_rt60, "
                "max_drr_db not below min_drr_db"
            )
        self.sample_rate, self.min_rt60, self.max_rt60 = sample_rate, min_rt60, max_rt60
        self.min_drr_db, self.max_drr_db = min_drr_db, max_drr_db

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with echoes; all channels of an example are in one room."""
        n, flat = len(batch), batch.flatten(2)
        drawn = torch.rand(3, n, 1, generator=generator)
        rt60 = self.min_rt60 * (self.max_rt60 / self.min_rt60) ** drawn[0]
        predelay = _MIN_PREDELAY + _PREDELAY_RANGE * drawn[1]
        ratio = self.min_drr_db + (self.max_drr_db - self.min_drr_db) * drawn[2]
        time = torch.arange(max(1, round(self.max_rt60 * self.sample_rate))) / self.sample_rate
        decay = 10 ** (-3 * (time - predelay) / rt60)
        echoes = torch.randn(n, len(time), generator=generator) * decay * (time >= predelay)
        energy = echoes.square().sum(1, keepdim=True).clamp_min(NOISE_FLOOR)
        echoes = echoes * (10 ** (-ratio / 10) / energy).sqrt()
        size = flat.shape[-1] + len(time)
        added: Tensor = torch.fft.irfft(torch.fft.rfft(flat, n=size) * torch.fft.rfft(echoes, n=size)[:, None], n=size)
        return (flat + added[..., : flat.shape[-1]]).view(batch.shape)
