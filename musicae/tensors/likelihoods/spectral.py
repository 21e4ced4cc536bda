"""A loss of sounds: the distance between their spectra and between their samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from musicae.ranges import SampleRate, Size, Weight
from musicae.tensors.dsp import SILENCE, intelligibility, power, snr
from musicae.tensors.likelihoods._deterministic import Deterministic

__all__ = ["Spectral"]

_MIN_BIN_POWER = 1e-5  # Of a bin, in a sound of power one; less is inaudible.
_MAX_SNR = 40.0  # In dB; a higher one counts no more.


class Spectral(Deterministic):
    """A loss of sounds ``(B, 1, T)``: how much their spectra and samples differ from `params`. It has no density.

    The weighted sum of four parts, for sounds brought to the same loudness.

    Parameters
    ----------
    n_fft, hop_length : window and hop of the spectra, in samples.
    power : exponent that compresses magnitudes.
    magnitude_weight : weight of the mean squared difference of compressed magnitudes.
    complex_weight : weight of that of the compressed complex spectra (Braun and Tashev 2021).
    snr_weight : weight of the negative signal-to-noise ratio in dB. Unlike the scale-invariant one it keeps the output
        as loud as the target.
    stoi_weight : weight of the loss of intelligibility (see `musicae.tensors.dsp.intelligibility`; as a loss, Kolbaek
        et al. 2018).
    sample_rate : in Hz; only the intelligibility depends on it.
    """

    def __init__(
        self,
        n_fft: Size = 512,
        hop_length: Size = 128,
        power: Weight = 0.3,
        magnitude_weight: Weight = 7.0,
        complex_weight: Weight = 3.0,
        snr_weight: Weight = 0.08,
        stoi_weight: Weight = 0.0,
        sample_rate: SampleRate = 16_000,
    ) -> None:
        self.n_fft, self.hop_length, self.power = n_fft, hop_length, power
        self.magnitude_weight, self.complex_weight = magnitude_weight, complex_weight
        self.snr_weight, self.stoi_weight, self.sample_rate = snr_weight, stoi_weight, sample_rate

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the weighted sum times the number of samples, ``(B,)``."""
        out, clean = params.flatten(1).float(), target.flatten(1).float()
        scale = power(clean)[:, None].clamp_min(SILENCE).rsqrt()  # Silence is not made louder.
        spectra = [self._spectra(x * scale) for x in (out, clean)]
        powers = [x.real.square() + x.imag.square() + _MIN_BIN_POWER for x in spectra]
        magnitudes = [x.pow(self.power / 2) for x in powers]
        compressed = [
            x * (size * squared.rsqrt()) for x, size, squared in zip(spectra, magnitudes, powers, strict=True)
        ]
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
