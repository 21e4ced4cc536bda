"""Measures of sounds as tensors of samples, time along the last axis: levels and their ratios in decibels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = [
    "EPS",
    "NOISE_FLOOR",
    "SILENCE",
    "decibels",
    "equalise",
    "intelligibility",
    "log_spectral",
    "low_pass",
    "magnitudes",
    "power",
    "si_sdr",
    "snr",
    "uniform",
    "unit",
]

EPS = 1e-12
"""The power, -120 dB of full scale, that keeps divisions and logarithms of powers finite."""

NOISE_FLOOR = 1e-10
"""The power, -100 dB of full scale, below which nothing is audible in any file."""

SILENCE = 1e-8
"""The power, -80 dB of full scale, up to which a passage counts as silent."""

_THIRD_OCTAVES, _LOWEST_BAND = 15, 150.0  # The bands of STOI, and the centre of the lowest, in Hz.
_SEGMENT, _SEGMENT_HOP = 30, 5  # Frames compared at a time, and from one such segment to the next.
_AUDIBLE = 1e-4  # Of the loudest frame's energy: what is quieter is a pause.
_MIN_RELATIVE_POWER = 1e-8  # Of the clean envelope: an output that is quieter is not brought to its level.
_CLIPPING = 10 ** (15 / 20)  # Up to how far above the clean envelope the other counts: STOI's -15 dB.
_MIN_BIN_POWER = 1e-8  # Of a log spectrum: Gray and Markel 1976, as in Kuleshov et al. 2017.
_FILTER_POINTS = 24  # Of a random filter, evenly over the octaves.


def power(x: Tensor) -> Tensor:
    """Return the mean square over the last axis, ``(...)``."""
    return x.square().mean(-1)


def decibels(ratio: Tensor) -> Tensor:
    """Return a ratio of powers in dB; 0 is -120 dB."""
    return 10 * ratio.clamp_min(EPS).log10()


def magnitudes(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """Return the magnitudes ``(..., F, frames)`` of ``(..., T)`` with a Hann window, zero-padded at both ends."""
    window = torch.hann_window(n_fft, device=x.device)
    flat = x.reshape(-1, x.shape[-1])
    padded = torch.nn.functional.pad(flat, (0, max(0, n_fft - flat.shape[-1])))
    spectra = torch.stft(padded, n_fft, hop, window=window, return_complex=True, pad_mode="constant")
    # The root of the power rather than abs(): its gradient is defined at zero.
    powers = spectra.real.square() + spectra.imag.square()
    return powers.clamp_min(1e-20).sqrt().view(*x.shape[:-1], *spectra.shape[1:])


def log_spectral(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """Return log10 of the powers ``(..., F, frames)`` of ``(..., T)``, those below 1e-8 raised to it."""
    return magnitudes(x, n_fft, hop).square().clamp_min(_MIN_BIN_POWER).log10()


def snr(target: Tensor, output: Tensor, limit: float | None = None) -> Tensor:
    """Return the signal-to-noise ratio in dB of ``(..., T)``, ``(...)``: the target's power by the difference's.

    With `limit` it saturates at that many dB (Wisdom et al. 2020).
    """
    wanted, rest = power(target), power(output - target)
    if limit is None:
        return decibels(wanted / rest.clamp_min(EPS))
    # With EPS on both sides silence has a gradient as well.
    return decibels((wanted + EPS) / (rest + 10 ** (-limit / 10) * wanted + EPS))


def si_sdr(target: Tensor, output: Tensor) -> Tensor:
    """Return the scale-invariant signal-to-distortion ratio in dB of ``(..., T)``, ``(...)`` (Le Roux et al. 2019).

    Means are subtracted first.
    """
    target, output = target - target.mean(-1, keepdim=True), output - output.mean(-1, keepdim=True)
    scale = (output * target).mean(-1, keepdim=True) / power(target)[..., None].clamp_min(EPS)
    wanted = scale * target
    return decibels(power(wanted).clamp_min(EPS) / power(output - wanted).clamp_min(EPS))


def intelligibility(target: Tensor, output: Tensor, rate: int) -> Tensor:
    """Return how intelligible the speech `target` ``(B, T)`` is in `output`, ``(B,)``, at most 1.

    The short-time objective intelligibility (STOI) of Taal et al. (2011), differentiable: the envelopes of 15
    third-octave bands are correlated over segments of 0.38 s, pauses left out. Unlike theirs it works at `rate` instead
    of 10 kHz and takes every fifth segment only, which gives about the same number. It is 0 for sounds in which less
    than a segment is audible.
    """
    window = 2 * round(0.0128 * rate)
    hop, n_fft = window // 2, 2 ** math.ceil(math.log2(window) + 1)
    centres = _LOWEST_BAND * 2 ** (torch.arange(_THIRD_OCTAVES, device=target.device) / 3)[:, None]
    freqs = torch.arange(n_fft // 2 + 1, device=target.device) * (rate / n_fft)
    bands = ((freqs >= centres * 2 ** (-1 / 6)) & (freqs < centres * 2 ** (1 / 6))).to(target)
    hann = torch.hann_window(window, device=target.device)
    missing = max(0, n_fft + _SEGMENT * hop - target.shape[-1])
    padded = [torch.nn.functional.pad(one, (0, missing)) for one in (target, output)]
    spectra = [torch.stft(one, n_fft, hop, window, window=hann, return_complex=True) for one in padded]
    powers = [one.real.square() + one.imag.square() for one in spectra]
    energy = powers[0].sum(1)
    audible = energy > _AUDIBLE * energy.amax(1, keepdim=True)
    # Pauses are sorted to the end, where no segment counts.
    order = (~audible).to(torch.uint8).argsort(stable=True, dim=1)[:, None].expand(-1, _THIRD_OCTAVES, -1)
    envelopes = ((bands @ one + EPS).sqrt().gather(2, order) for one in powers)
    clean, made = (one.unfold(2, _SEGMENT, _SEGMENT_HOP) for one in envelopes)
    ends = torch.arange(clean.shape[2], device=target.device) * _SEGMENT_HOP + _SEGMENT
    counts = (ends <= audible.sum(1, keepdim=True)).to(target)
    # The bound keeps silence from being amplified into something intelligible.
    level = (power(clean) / (power(made) + _MIN_RELATIVE_POWER * power(clean)))[..., None].sqrt()
    made = torch.minimum(level * made, (1 + _CLIPPING) * clean)
    clean, made = (one - one.mean(-1, keepdim=True) for one in (clean, made))
    correlation = (clean * made).sum(-1) / ((clean.square().sum(-1) + EPS) * (made.square().sum(-1) + EPS)).sqrt()
    return (correlation.mean(1) * counts).sum(1) / counts.sum(1).clamp_min(1)


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw random numbers from the uniform distribution between `low` and `high`."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def unit(x: Tensor) -> Tensor:
    """Return ``(..., T)`` scaled to power one; silence stays silence."""
    return x * (power(x)[..., None] + EPS).rsqrt()


def low_pass(x: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return ``(..., T)`` with a gain that falls from 1 at `start` to 0 at `end`, as a raised cosine.

    Both are shares of the band (1 is half the sample rate) and broadcast against ``(..., 1)``.
    """
    length = x.shape[-1]
    spectra = torch.fft.rfft(x)
    place = torch.arange(spectra.shape[-1]) / (length / 2)
    fall = ((place - start) / (end - start).clamp_min(5e-4)).clamp(0, 1)
    limited: Tensor = torch.fft.irfft(spectra * (0.5 + 0.5 * torch.cos(torch.pi * fall)), n=length)
    return limited


def _octaves(bins: int) -> Tensor:
    """Return the places of bins 0, 1 .. on a logarithmic axis, from 0 to 1."""
    place = torch.arange(bins, dtype=torch.float32)
    return ((place + 8) / 8).log2() / math.log2((bins + 7) / 8)


def _over_octaves(curve: Tensor, bins: int) -> Tensor:
    """Return ``(n, bins)`` of a curve ``(n, points)`` over the octaves."""
    place = _octaves(bins) * (curve.shape[1] - 1)
    low = place.long().clamp(max=curve.shape[1] - 2)
    share = place - low
    return curve[:, low] * (1 - share) + curve[:, low + 1] * share


def equalise(x: Tensor, generator: torch.Generator, tilt: float = 6.0, bumps: float = 4.0) -> Tensor:
    """Filter ``(n, T)`` at random and scale it to power one.

    The filters have a tilt of up to `tilt` dB an octave, and bumps with a standard deviation of `bumps` dB.
    """
    spectra = torch.fft.rfft(x)
    bins = spectra.shape[1]
    slope = uniform((len(x), 1), -tilt, tilt, generator) * (_octaves(bins) * math.log2((bins + 7) / 8))
    gain = slope + bumps * _over_octaves(torch.randn(len(x), _FILTER_POINTS, generator=generator), bins)
    return unit(torch.fft.irfft(spectra * 10 ** ((gain - gain.amax(1, keepdim=True)) / 20), n=x.shape[1]))
