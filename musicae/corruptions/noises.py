"""Noises made of random numbers: each function returns ``(n, length)`` samples of power one.

`length` is in samples, `rate` in Hz; all that is random comes from the generator.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..waves import power

__all__ = ["babble", "coloured", "crackle", "equalise", "hum", "modulate", "unit"]

_LEAST = 1e-12
_POINTS = 24  # Of a random filter, evenly over the octaves.


def unit(x: Tensor) -> Tensor:
    """Return ``(..., T)`` with power one; silence stays silence."""
    return x * (power(x)[..., None] + _LEAST).rsqrt()


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def _curve(n: int, points: int, length: int, generator: torch.Generator) -> Tensor:
    """Return ``(n, length)`` smooth random curves of deviation about one."""
    knots = torch.randn(n, 1, points, generator=generator)
    return F.interpolate(knots, size=length, mode="linear", align_corners=True)[:, 0]


def _octaves(bins: int) -> Tensor:
    """Return where bins 0 .. lie on a logarithmic axis, 0 .. 1."""
    place = torch.arange(bins, dtype=torch.float32)
    return ((place + 8) / 8).log2() / math.log2((bins + 7) / 8)


def _warped(curve: Tensor, bins: int) -> Tensor:
    """Return ``(n, bins)`` of a curve ``(n, points)`` over the octaves."""
    place = _octaves(bins) * (curve.shape[1] - 1)
    low = place.long().clamp(max=curve.shape[1] - 2)
    share = place - low
    return curve[:, low] * (1 - share) + curve[:, low + 1] * share


def equalise(x: Tensor, generator: torch.Generator, tilt: float = 6.0, bumps: float = 4.0) -> Tensor:
    """Filter ``(n, T)`` at random: a tilt of up to `tilt` dB an octave, and bumps of a deviation of `bumps` dB."""
    spectra = torch.fft.rfft(x)
    bins = spectra.shape[1]
    slope = _uniform((len(x), 1), -tilt, tilt, generator) * (_octaves(bins) * math.log2((bins + 7) / 8))
    gain = slope + bumps * _warped(torch.randn(len(x), _POINTS, generator=generator), bins)
    return unit(torch.fft.irfft(spectra * 10 ** ((gain - gain.amax(1, keepdim=True)) / 20), n=x.shape[1]))


def coloured(n: int, length: int, rate: int, generator: torch.Generator) -> Tensor:
    """Return noise of many colours: a third white, a third between brown and violet with bumps in its spectrum.

    The last third lies about one place between 150 and 1,500 Hz, where it hides voices most, and falls off to both
    sides by 2 to 12 dB an octave.
    """
    white = torch.randn(n, length, generator=generator)
    shaped = equalise(white, generator)
    centre = 150 * 10 ** _uniform((n, 1), 0.0, 1.0, generator)
    away = (torch.fft.rfftfreq(length, 1 / rate).clamp_min(1.0) / centre).log2()
    slopes = _uniform((2, n, 1), 2.0, 12.0, generator)
    fall = torch.where(away < 0, -slopes[0] * away, slopes[1] * away)
    humped = torch.fft.irfft(torch.fft.rfft(white) * 10 ** (-fall / 20), n=length)
    which = torch.rand(n, 1, generator=generator)
    return unit(torch.where(which < 1 / 3, white, torch.where(which < 2 / 3, shaped, humped)))


def modulate(x: Tensor, rate: int, generator: torch.Generator) -> Tensor:
    """Let the level of ``(n, T)`` sway slowly, or beat like an engine or a propeller, or stay as it is."""
    n, length = x.shape
    seconds = length / rate
    sway = 10 ** (0.3 * _curve(n, 2 + math.ceil(2 * seconds), length, generator))
    time = torch.arange(length) / rate
    beats = 2 ** _uniform((n, 1), 1.0, 6.5, generator)  # 2 to 90 a second.
    phase = 2 * math.pi * (beats * time + torch.rand(n, 1, generator=generator))
    sharp = _uniform((n, 1), 0.5, 4.0, generator)
    beat = 0.1 + (0.5 + 0.5 * phase.sin()) ** sharp
    which = torch.rand(n, 1, generator=generator)
    return unit(x * torch.where(which < 0.3, sway, torch.where(which < 0.6, beat, torch.ones(()))))


def babble(voices: Tensor, generator: torch.Generator) -> Tensor:
    """Return the sum of voices ``(k, n, T)``, each at another level."""
    levels = 10 ** (_uniform((*voices.shape[:2], 1), -9.0, 0.0, generator) / 20)
    return unit((unit(voices) * levels).sum(0))


def hum(n: int, length: int, rate: int, generator: torch.Generator) -> Tensor:
    """Return mains hum: 50 or 60 Hz, a little off, with up to 20 harmonics that fall at random."""
    base = torch.where(torch.rand(n, 1, generator=generator) < 0.5, 50.0, 60.0)
    base = base * (1 + 0.004 * torch.randn(n, 1, generator=generator))
    time = torch.arange(length) / rate
    out = torch.zeros(n, length)
    fall = _uniform((n, 1), 0.3, 1.5, generator)
    for k in range(1, 21):
        if k * 60 * 1.02 >= rate / 2:
            break
        level = k**-fall * torch.rand(n, 1, generator=generator)
        out += level * torch.sin(2 * math.pi * (k * base * time + torch.rand(n, 1, generator=generator)))
    return unit(out)


def crackle(n: int, length: int, rate: int, generator: torch.Generator) -> Tensor:
    """Return clicks of many sizes at random moments, 2 to 200 a second, each ringing for up to a millisecond."""
    often = 10 ** _uniform((n, 1), 0.3, 2.3, generator) / rate
    hits = (torch.rand(n, length, generator=generator) < often).float()
    hits.scatter_(1, torch.randint(length, (n, 1), generator=generator), 1.0)
    sizes = torch.randn(n, length, generator=generator) * 10 ** (0.3 * torch.randn(n, length, generator=generator))
    reach = max(2, rate // 500)
    decay = _uniform((n, 1), 0.05, 0.4, generator)
    ring = torch.exp(-decay * torch.arange(reach)) * torch.randn(n, reach, generator=generator)
    ring[:, 0] = 1.0
    size = length + reach
    made = torch.fft.irfft(torch.fft.rfft(hits * sizes, n=size) * torch.fft.rfft(ring, n=size), n=size)
    return unit(made[:, :length])
