"""Synthetic noises: each function returns ``(n, length)`` samples of power one.

`length` is in samples, `rate` in Hz; all randomness comes from the generator.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.tensors.dsp import equalise, uniform, unit

__all__ = ["babble", "coloured", "crackle", "hum", "modulate"]


def _curve(n: int, points: int, length: int, generator: torch.Generator) -> Tensor:
    """Return ``(n, length)`` smooth random curves with a standard deviation of about one."""
    knots = torch.randn(n, 1, points, generator=generator)
    return F.interpolate(knots, size=length, mode="linear", align_corners=True)[:, 0]


def coloured(n: int, length: int, rate: int, generator: torch.Generator) -> Tensor:
    """Return coloured noise: a third of it white, a third between brown and violet with bumps in the spectrum.

    The last third has a peak between 150 and 1,500 Hz, where it masks voices most, and falls by 2 to 12 dB an octave on
    both sides.
    """
    white = torch.randn(n, length, generator=generator)
    shaped = equalise(white, generator)
    centre = 150 * 10 ** uniform((n, 1), 0.0, 1.0, generator)
    away = (torch.fft.rfftfreq(length, 1 / rate).clamp_min(1.0) / centre).log2()
    slopes = uniform((2, n, 1), 2.0, 12.0, generator)
    fall = torch.where(away < 0, -slopes[0] * away, slopes[1] * away)
    peaked = torch.fft.irfft(torch.fft.rfft(white) * 10 ** (-fall / 20), n=length)
    which = torch.rand(n, 1, generator=generator)
    return unit(torch.where(which < 1 / 3, white, torch.where(which < 2 / 3, shaped, peaked)))


def modulate(x: Tensor, rate: int, generator: torch.Generator) -> Tensor:
    """Modulate the level of ``(n, T)``: slowly, or at 2 to 90 Hz as engines and propellers do, or not at all."""
    n, length = x.shape
    seconds = length / rate
    sway = 10 ** (0.3 * _curve(n, 2 + math.ceil(2 * seconds), length, generator))
    time = torch.arange(length) / rate
    beats = 2 ** uniform((n, 1), 1.0, 6.5, generator)  # In Hz: 2 to 90.
    phase = 2 * math.pi * (beats * time + torch.rand(n, 1, generator=generator))
    sharp = uniform((n, 1), 0.5, 4.0, generator)
    beat = 0.1 + (0.5 + 0.5 * phase.sin()) ** sharp
    which = torch.rand(n, 1, generator=generator)
    return unit(x * torch.where(which < 0.3, sway, torch.where(which < 0.6, beat, torch.ones(()))))


def babble(voices: Tensor, generator: torch.Generator) -> Tensor:
    """Return the sum over the first axis of voices ``(k, n, T)``, each at a random level."""
    levels = 10 ** (uniform((*voices.shape[:2], 1), -9.0, 0.0, generator) / 20)
    return unit((unit(voices) * levels).sum(0))


def hum(n: int, length: int, rate: int, generator: torch.Generator) -> Tensor:
    """Return mains hum: 50 or 60 Hz, slightly detuned, with up to 20 harmonics of random levels."""
    base = torch.where(torch.rand(n, 1, generator=generator) < 0.5, 50.0, 60.0)
    base = base * (1 + 0.004 * torch.randn(n, 1, generator=generator))
    time = torch.arange(length) / rate
    out = torch.zeros(n, length)
    fall = uniform((n, 1), 0.3, 1.5, generator)
    for k in range(1, 21):
        if k * 60 * 1.02 >= rate / 2:
            break
        level = k**-fall * torch.rand(n, 1, generator=generator)
        out += level * torch.sin(2 * math.pi * (k * base * time + torch.rand(n, 1, generator=generator)))
    return unit(out)


def crackle(n: int, length: int, rate: int, generator: torch.Generator) -> Tensor:
    """Return clicks of random sizes at random times, 2 to 200 a second, each ringing for up to two milliseconds."""
    density = 10 ** uniform((n, 1), 0.3, 2.3, generator) / rate
    hits = (torch.rand(n, length, generator=generator) < density).float()
    hits.scatter_(1, torch.randint(length, (n, 1), generator=generator), 1.0)
    sizes = torch.randn(n, length, generator=generator) * 10 ** (0.3 * torch.randn(n, length, generator=generator))
    reach = max(2, rate // 500)
    decay = uniform((n, 1), 0.05, 0.4, generator)
    ring = torch.exp(-decay * torch.arange(reach)) * torch.randn(n, reach, generator=generator)
    ring[:, 0] = 1.0
    size = length + reach
    clicks = torch.fft.irfft(torch.fft.rfft(hits * sizes, n=size) * torch.fft.rfft(ring, n=size), n=size)
    return unit(clicks[:, :length])
