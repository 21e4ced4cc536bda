"""What is measured of sounds as tensors of samples, the last axis being time: levels and their ratios in decibels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = [
    "decibels", "equalise", "intelligibility", "log_spectral", "magnitudes", "power", "si_sdr", "snr", "uniform",
    "unit",
]  # fmt: skip

_THIRDS, _LOWEST = 15, 150.0  # Bands of a third of an octave, and the middle of the lowest, in Hz.
_SEGMENT, _EVERY = 30, 5  # Frames that are compared at a time, and from one such time to the next.
_AUDIBLE = 1e-4  # Of the loudest frame's energy: what is quieter is a pause.
_FAINT = 1e-8  # Of the power of what is to be understood: what is quieter is not brought to its level.
_DISTORTED = 10 ** (15 / 20)  # How far the envelope counts that is above the clean one.
_POINTS = 24  # Of a random filter, evenly over the octaves.
_LEAST = 1e-12  # The power of what counts as silence: 120 dB below a full square wave.


def power(x: Tensor) -> Tensor:
    """Return the mean square over the last axis, ``(...)``."""
    return x.square().mean(-1)


def decibels(ratio: Tensor) -> Tensor:
    """Return a ratio of powers in dB; 0 is -120 dB."""
    return 10 * ratio.clamp_min(_LEAST).log10()


def magnitudes(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """Return the magnitudes ``(..., F, frames)`` of ``(..., T)`` with a Hann window; silence is added at both ends."""
    window = torch.hann_window(n_fft, device=x.device)
    flat = x.reshape(-1, x.shape[-1])
    padded = torch.nn.functional.pad(flat, (0, max(0, n_fft - flat.shape[-1])))
    spectra = torch.stft(padded, n_fft, hop, window=window, return_complex=True, pad_mode="constant")
    # The root of the power, not the modulus: its gradient at nothing is none.
    powers = spectra.real.square() + spectra.imag.square()
    return powers.clamp_min(1e-20).sqrt().view(*x.shape[:-1], *spectra.shape[1:])


def log_spectral(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """Return log10 of the powers ``(..., F, frames)`` of ``(..., T)``; those below 1e-8 count as that."""
    return magnitudes(x, n_fft, hop).square().clamp_min(1e-8).log10()


def snr(target: Tensor, output: Tensor, limit: float | None = None) -> Tensor:
    """Return the signal-to-noise ratio in dB of ``(..., T)``, ``(...)``: the target's power by the difference's.

    With `limit` it tends to that many dB and no further (Wisdom et al. 2020).
    """
    wanted, rest = power(target), power(output - target)
    if limit is None:
        return decibels(wanted / rest.clamp_min(_LEAST))
    # With something of each, silence has a slope as well.
    return decibels((wanted + _LEAST) / (rest + 10 ** (-limit / 10) * wanted + _LEAST))


def si_sdr(target: Tensor, output: Tensor) -> Tensor:
    """Return the scale-invariant signal-to-distortion ratio in dB of ``(..., T)``, ``(...)`` (Le Roux et al. 2019).

    Means are taken off first.
    """
    target, output = target - target.mean(-1, keepdim=True), output - output.mean(-1, keepdim=True)
    scale = (output * target).mean(-1, keepdim=True) / power(target)[..., None].clamp_min(_LEAST)
    wanted = scale * target
    return decibels(power(wanted).clamp_min(_LEAST) / power(output - wanted).clamp_min(_LEAST))


def intelligibility(target: Tensor, output: Tensor, rate: int) -> Tensor:
    """Return how much of the words of `target` ``(B, T)`` is to be understood from `output`, ``(B,)``, at most 1.

    The short-time objective intelligibility of Taal et al. (2011), as something to learn by: the envelopes of 15 bands
    are compared over segments of 0.38 s, pauses left out. It is at `rate` itself in place of 10 kHz, and only each
    fifth segment is looked at: about the same number. Where less than a segment is heard it is 0.
    """
    window = 2 * round(0.0128 * rate)
    hop, n_fft = window // 2, 2 ** math.ceil(math.log2(window) + 1)
    middles = _LOWEST * 2 ** (torch.arange(_THIRDS, device=target.device) / 3)[:, None]
    places = torch.arange(n_fft // 2 + 1, device=target.device) * (rate / n_fft)
    bands = ((places >= middles * 2 ** (-1 / 6)) & (places < middles * 2 ** (1 / 6))).to(target)
    hann = torch.hann_window(window, device=target.device)
    missing = max(0, n_fft + _SEGMENT * hop - target.shape[-1])
    padded = [torch.nn.functional.pad(one, (0, missing)) for one in (target, output)]
    spectra = [torch.stft(one, n_fft, hop, window, window=hann, return_complex=True) for one in padded]
    powers = [one.real.square() + one.imag.square() for one in spectra]
    energy = powers[0].sum(1)
    heard = energy > _AUDIBLE * energy.amax(1, keepdim=True)
    # Pauses go to the end, and then uncounted.
    order = (~heard).to(torch.uint8).argsort(stable=True, dim=1)[:, None].expand(-1, _THIRDS, -1)
    envelopes = ((bands @ one + _LEAST).sqrt().gather(2, order) for one in powers)
    clean, made = (one.unfold(2, _SEGMENT, _EVERY) for one in envelopes)
    ends = torch.arange(clean.shape[2], device=target.device) * _EVERY + _SEGMENT
    counts = (ends <= heard.sum(1, keepdim=True)).to(target)
    # To be silent is not to be understood, however loud silence is made.
    level = (power(clean) / (power(made) + _FAINT * power(clean)))[..., None].sqrt()
    made = torch.minimum(level * made, (1 + _DISTORTED) * clean)
    clean, made = (one - one.mean(-1, keepdim=True) for one in (clean, made))
    likeness = (clean * made).sum(-1) / ((clean.square().sum(-1) + _LEAST) * (made.square().sum(-1) + _LEAST)).sqrt()
    return (likeness.mean(1) * counts).sum(1) / counts.sum(1).clamp_min(1)


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return random numbers, evenly from between `low` and `high`."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def unit(x: Tensor) -> Tensor:
    """Return ``(..., T)`` with power one; silence stays silence."""
    return x * (power(x)[..., None] + _LEAST).rsqrt()


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
    slope = uniform((len(x), 1), -tilt, tilt, generator) * (_octaves(bins) * math.log2((bins + 7) / 8))
    gain = slope + bumps * _warped(torch.randn(len(x), _POINTS, generator=generator), bins)
    return unit(torch.fft.irfft(spectra * 10 ** ((gain - gain.amax(1, keepdim=True)) / 20), n=x.shape[1]))
