"""Sounds without their high frequencies."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption
from musicae.errors import MusicaeError
from musicae.ranges import Frequency, SampleRate
from musicae.tensors.dsp import low_pass

__all__ = ["LowPass"]

_STOP = 1.05  # Times the edge; above it the gain is 0.


class LowPass(Corruption):
    """Remove what is above a random edge for each example, like lossy encoders.

    Parameters
    ----------
    sample_rate : in Hz.
    min_hz, max_hz : range of the edge, uniform over the octaves. The gain is 1 up to it, and 0 from 5 % above it.
    """

    def __init__(
        self, sample_rate: SampleRate = 16_000, min_hz: Frequency = 3000.0, max_hz: Frequency = 8000.0
    ) -> None:
        if not 0 < min_hz <= max_hz or sample_rate < 1:
            raise MusicaeError(
                "[corruption] sample_rate and min_hz must be over 0 and max_hz not below min_hz, "
                f"not {sample_rate}, {min_hz} and {max_hz}"
            )
        self.sample_rate, self.min_hz, self.max_hz = sample_rate, min_hz, max_hz

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` low-passed along ``*S``, taken as one axis."""
        drawn = torch.rand(len(batch), 1, 1, generator=generator)
        edge = self.min_hz * (self.max_hz / self.min_hz) ** drawn / (self.sample_rate / 2)
        return low_pass(batch.flatten(2), edge, _STOP * edge).view(batch.shape)
