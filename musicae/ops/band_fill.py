"""Noise for the empty upper part of a band, which a denoiser that knows full bands only takes for no noise at all."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from musicae.tensors.random import generator

__all__ = ["BandFill"]

_BANDS = 32
_LEAST_GRAIN = 8 * _BANDS  # Samples: below that a band has fewer than four bins, and its noise cannot be measured.
_PASS = 0.91  # Of half the lower rate: up to there resampling keeps what there is.
_LOWEST_HZ = 5000.0  # A band that ends lower is not filled: what is quiet above may be the music.
_EMPTY = 1e-3  # Power of an empty band, over that of the noise below it.
_EDGE, _BELOW = 1, 2  # Bands of the slope at the end of a band, and of those below it whose noise is measured.
_SHARE = 1.4  # Power of what is filled in, over the least of that noise, which is 5 to 9 dB below its mean.
_SECONDS = 1.0  # In which the noise is measured.
_FRAMES = 64  # Of noise, used again and again.
_TINY = 1e-16


class BandFill:
    """Adds noise to blocks of sound where their band is empty at the top, as much as there is below.

    A band ends where resampling from `given_rate` ended it, or lower, where a lossy format did: there levels fall by
    30 dB. The noise below is the least power in a second, in the median over bins, so that notes do not count. Blocks
    are of a multiple of `grain` samples, 256 at least or nothing is filled; the result does not depend on their sizes.
    """

    def __init__(self, rate: int, given_rate: int, grain: int, channels: int) -> None:
        self.grain = grain
        self._resampled = given_rate != rate
        top = math.floor(_BANDS * min(1.0, _PASS * given_rate / rate)) if self._resampled else _BANDS
        self._first = math.ceil(_LOWEST_HZ / (rate / 2) * _BANDS)
        self._top = max(self._first, top)
        self._window = torch.hann_window(grain)
        self._ramp = torch.hann_window(2 * grain, periodic=True).sqrt()
        angles = 2 * math.pi * torch.rand(_FRAMES, grain + 1, generator=generator(0, 71))
        self._phases = torch.polar(torch.ones_like(angles), angles) * math.sqrt(2 * grain)
        self._kept = max(1, round(_SECONDS * rate / grain)) - 1
        self._past: Tensor | None = None  # The levels of the last grains, (channels, kept, 2, bands).
        self._tail = torch.zeros(channels, grain)
        self._number = 0

    def __call__(self, x: Tensor) -> Tensor:
        """Return blocks ``(channels, N * grain)`` with noise where they have none."""
        count, width = x.shape[1] // self.grain, self.grain // 2 // _BANDS
        if not count or self.grain < _LEAST_GRAIN:
            return x
        grains = x.reshape(len(x), count, self.grain)
        powers = torch.fft.rfft(grains * self._window).abs().square() / self._window.square().sum()
        bands = powers[..., 1 : 1 + _BANDS * width].reshape(len(x), count, _BANDS, width)
        levels = torch.stack([bands.mean(3), bands.median(3).values], dim=2)
        past = levels[:, :1].expand(-1, self._kept, -1, -1) if self._past is None else self._past
        joined = torch.cat([past, levels], dim=1)
        self._past = joined[:, joined.shape[1] - self._kept :]
        recent = joined.unfold(1, self._kept + 1, 1)
        level, first = self._wanted(recent[:, :, 0].amax(3), recent[:, :, 1].amin(3))
        return x + self._noise(level, first).to(x)

    def _wanted(self, most: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
        """Return the power to be filled in, and the first empty band, for each grain, ``(channels, N)`` both."""
        ends = range(self._top, self._first - 1, -1)
        below = torch.stack([least[..., end - _EDGE - _BELOW : end - _EDGE].mean(2) for end in ends], dim=2)
        empty = [torch.zeros_like(below[..., 0], dtype=torch.bool)]
        for i, end in enumerate(list(ends)[1:], start=1):
            empty.append(most[..., end : self._top].amax(2) < _EMPTY * below[..., i])
        found = torch.stack(empty, dim=2)
        chosen = found.float().argmax(2)  # The highest end of a band; the first is that of resampling, or none.
        level = _SHARE * below.gather(2, chosen[..., None])[..., 0]
        if not self._resampled:
            level = torch.where(found.any(2), level, 0.0)
        return torch.where(level > _TINY, level, 0.0), self._top - chosen - _EDGE * (chosen > 0)

    def _noise(self, level: Tensor, first: Tensor) -> Tensor:
        """Return noise ``(channels, N * grain)`` of a power, from a band on, in each grain."""
        channels, count = level.shape
        phases = self._phases[(self._number + torch.arange(count)) % _FRAMES]
        self._number += count
        if not level.any() and not self._tail.any():
            return torch.zeros(channels, count * self.grain)
        bins = torch.arange(self.grain + 1) * (_BANDS / self.grain)
        spectra = phases * (level.sqrt()[..., None] * (bins >= first[..., None]))
        frames: Tensor = torch.fft.irfft(spectra) * self._ramp
        ahead, behind = frames[..., : self.grain], frames[..., self.grain :]
        made: Tensor = ahead + torch.cat([self._tail[:, None], behind[:, :-1]], dim=1)
        self._tail = behind[:, -1]
        return made.flatten(1)
