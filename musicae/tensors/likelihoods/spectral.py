"""Sounds, by how far their spectra and their samples lie apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from musicae.tensors.dsp import SILENCE, intelligibility, power, snr
from musicae.tensors.likelihoods._deterministic import Deterministic

__all__ = ["Spectral"]

_MIN_BIN_POWER = 1e-5  # Power of a bin, of a sound of power one, below which it is inaudible.
_MAX_SNR = 40.0  # In dB; a higher one counts no more.


class Spectral(Deterministic):
    """Sounds ``(B, 1, T)`` by how much their spectra and samples differ from `params`. No density.

    The weighted sum of four parts, for sounds brought to one loudness.

    Parameters
    ----------
    n_fft, hop_length : of the spectra, in samples.
    power : by which magnitudes are compressed.
    magnitude_weight : of the mean squared difference of compressed magnitudes.
    complex_weight : of that of the complex spectra, so compressed (Braun and Tashev 2021).
    snr_weight : of the negative signal-to-noise ratio in dB, which, unlike the scale-invariant one, keeps the output as
        loud as the target.
    stoi_weight : of the loss of intelligibility (see `musicae.tensors.dsp.intelligibility`; to learn by it is of
        Kolbaek et al. 2018).
    sample_rate : in Hz; matters to the intelligibility alone.
    """

    def __init__(
        self,
        n_fft: int = 512,
        hop_length: int = 128,
        power: float = 0.3,
        magnitude_weight: float = 7.0,
        complex_weight: float = 3.0,
        snr_weight: float = 0.08,
        stoi_weight: float = 0.0,
        sample_rate: int = 16_000,
    ) -> None:
        self.n_fft, self.hop_length, self.power = n_fft, hop_length, power
        self.magnitude_weight, self.complex_weight = magnitude_weight, complex_weight
        self.snr_weight, self.stoi_weight, self.sample_rate = snr_weight, stoi_weight, sample_rate

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the weighted sum times the number of samples, ``(B,)``."""
        out, clean = params.flatten(1).float(), target.flatten(1).float()
        scale = power(clean)[:, None].clamp_min(SILENCE).rsqrt()  # Silence is not made louder.
        spectra = [self._spectra(one * scale) for one in (out, clean)]
        powers = [one.real.square() + one.imag.square() + _MIN_BIN_POWER for one in spectra]
        magnitudes = [one.pow(self.power / 2) for one in powers]
        compressed = [one * size.pow((self.power - 1) / 2) for one, size in zip(spectra, powers, strict=True)]
        difference = compressed[0] - compressed[1]
        loss = self.magnitude_weight * (magnitudes[0] - magnitudes[1]).square().flatten(1).mean(1)
        squared = difference.real.square() + difference.imag.square()
        loss = loss + self.complex_weight * squared.flatten(1).mean(1)
        if self.snr_weight:
            loss = loss - self.snr_weight * snr(clean, out, _MAX_SNR)
        if self.stoi_weight:
            loss = loss - self.stoi_weight * intelligibility(clean, out, self.sample_rate)
        return loss * clean.shape[1]

    def _spectra(self, x: Tensor) -> Tensor:
        window = torch.hann_window(self.n_fft, device=x.device)
        spectra: Tensor = torch.stft(x, self.n_fft, self.hop_length, window=window, return_complex=True)
        return spectra / math.sqrt(self.n_fft)
