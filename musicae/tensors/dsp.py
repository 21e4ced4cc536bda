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
_MIN_FRAME_ENERGY = 1e-4  # As a share of the loudest frame's; quieter frames are pauses.
_MIN_RELATIVE_POWER = 1e-8  # Of the output's envelope to the clean one's; a quieter output is not brought to its level.
_CLIPPING = 10 ** (15 / 20)  # How far above the clean envelope the output is clipped: STOI's -15 dB.
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
    """Return log10 of the powers ``(..., F, frames)`` of ``(..., T)``; powers are at least 1e-8."""
    return magnitudes(x, n_fft, hop).square().clamp_min(_MIN_BIN_POWER).log10()


def snr(target: Tensor, output: Tensor, limit: float | None = None) -> Tensor:
    """Return the signal-to-noise ratio in dB of ``(..., T)``, ``(...)``: the target's power over the difference's.

    With `limit` it saturates at that many dB (Wisdom et al. 2020).
    """
    signal, noise = power(target), power(output - target)
    if limit is None:
        return decibels(signal / noise.clamp_min(EPS))
    # With EPS on both sides silence has a gradient as well.
    return decibels((signal + EPS) / (noise + 10 ** (-limit / 10) * signal + EPS))


def si_sdr(target: Tensor, output: Tensor) -> Tensor:
    """Return the scale-invariant signal-to-distortion ratio in dB of ``(..., T)``, ``(...)`` (Le Roux et al. 2019).

    Means are subtracted first.
    """
    target, output = target - target.mean(-1, keepdim=True), output - output.mean(-1, keepdim=True)
    scale = (output * target).mean(-1, keepdim=True) / power(target)[..., None].clamp_min(EPS)
    signal = scale * target
    return decibels(power(signal).clamp_min(EPS) / power(output - signal).clamp_min(EPS))


def intelligibility(target: Tensor, output: Tensor, rate: int) -> Tensor:
    """Return how intelligible the speech `target` ``(B, T)`` is in `output`, ``(B,)``, at most 1.

    The short-time objective intelligibility (STOI) of Taal et al. (2011), differentiable: the envelopes of 15
    third-octave bands are correlated over segments of 0.38 s, without pauses. Unlike theirs it works at `rate` (in Hz)
    instead of 10 kHz and uses only every fifth segment, which gives about the same value. It is 0 for sounds in which
    less than a segment is audible.
    """
    window = 2 * round(0.0128 * rate)
    hop, n_fft = window // 2, 2 ** math.ceil(math.log2(window) + 1)
    centres = _LOWEST_BAND * 2 ** (torch.arange(_THIRD_OCTAVES, device=target.device) / 3)[:, None]
    freqs = torch.arange(n_fft // 2 + 1, device=target.device) * (rate / n_fft)
    bands = ((freqs >= centres * 2 ** (-1 / 6)) & (freqs < centres * 2 ** (1 / 6))).to(target)
    hann = torch.hann_window(window, device=target.device)
    missing = max(0, n_fft + _SEGMENT * hop - target.shape[-1])
    padded = [torch.nn.functional.pad(x, (0, missing)) for x in (target, output)]
    spectra = [torch.stft(x, n_fft, hop, window, window=hann, return_complex=True) for x in padded]
    powers = [x.real.square() + x.imag.square() for x in spectra]
    energy = powers[0].sum(1)
    audible = energy > _MIN_FRAME_ENERGY * energy.amax(1, keepdim=True)
    # Pauses are sorted to the end, where no segment counts.
    order = (~audible).to(torch.uint8).argsort(stable=True, dim=1)[:, None].expand(-1, _THIRD_OCTAVES, -1)
    envelopes = ((bands @ x + EPS).sqrt().gather(2, order) for x in powers)
    clean, degraded = (x.unfold(2, _SEGMENT, _SEGMENT_HOP) for x in envelopes)
    ends = torch.arange(clean.shape[2], device=target.device) * _SEGMENT_HOP + _SEGMENT
    counts = (ends <= audible.sum(1, keepdim=True)).to(target)
    # The lower bound keeps silence from being amplified until it is intelligible.
    level = (power(clean) / (power(degraded) + _MIN_RELATIVE_POWER * power(clean)))[..., None].sqrt()
    degraded = torch.minimum(level * degraded, (1 + _CLIPPING) * clean)
    clean, degraded = (x - x.mean(-1, keepdim=True) for x in (clean, degraded))
    energies = (clean.square().sum(-1) + EPS) * (degraded.square().sum(-1) + EPS)
    correlation = (clean * degraded).sum(-1) / energies.sqrt()
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
    position = torch.arange(spectra.shape[-1]) / (length / 2)
    fall = ((position - start) / (end - start).clamp_min(5e-4)).clamp(0, 1)
    limited: Tensor = torch.fft.irfft(spectra * (0.5 + 0.5 * torch.cos(torch.pi * fall)), n=length)
    return limited


def _octaves(bins: int) -> Tensor:
    """Return the positions of bins 0, 1 .. on a logarithmic axis, from 0 to 1."""
    position = torch.arange(bins, dtype=torch.float32)
    return ((position + 8) / 8).log2() / math.log2((bins + 7) / 8)


def _over_octaves(curve: Tensor, bins: int) -> Tensor:
    """Resample a curve ``(n, points)``, even over the octaves, to ``(n, bins)``."""
    position = _octaves(bins) * (curve.shape[1] - 1)
    low = position.long().clamp(max=curve.shape[1] - 2)
    share = position - low
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
