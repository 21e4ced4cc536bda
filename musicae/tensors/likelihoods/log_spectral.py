"""A loss of sounds: the distance between the logarithms of their spectra."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from musicae.errors import MusicaeError
from musicae.ranges import Size, Weight
from musicae.tensors.dsp import log_spectral, snr
from musicae.tensors.likelihoods._deterministic import Deterministic

__all__ = ["LogSpectral"]

_MIN_ERROR = 1e-6  # Mean squared difference of log powers; keeps the gradient of the root finite.


class LogSpectral(Deterministic):
    """A loss of sounds ``(B, 1, T)``: the distance between the logarithms of their spectra. It has no density.

    It is the log-spectral distance (see `musicae.tensors.metrics`), less `snr_weight` for each decibel of
    signal-to-noise ratio. Anything added with a wrong phase lowers that ratio, so less is added that is loud.

    Parameters
    ----------
    snr_weight : weight of a decibel of signal-to-noise ratio.
    n_fft_sizes : window sizes in samples, over which the distance is averaged; the shortest catches flutter within the
        longest.
    """

    def __init__(self, snr_weight: Weight = 0.1, n_fft_sizes: Sequence[Size] = (2048, 512)) -> None:
        are_ints = isinstance(n_fft_sizes, list | tuple) and all(type(size) is int for size in n_fft_sizes)
        if not are_ints or not n_fft_sizes or min(n_fft_sizes) < 4:
            raise MusicaeError(
                f"[likelihood] n_fft_sizes must be one or more windows of 4 samples or more, not {n_fft_sizes}"
            )
        self.snr_weight, self.n_fft_sizes = snr_weight, tuple(n_fft_sizes)

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the distance times the number of samples, ``(B,)``."""
        out, clean = params.flatten(1).float(), target.flatten(1).float()
        distance = torch.zeros(len(clean), device=clean.device)
        for n_fft in self.n_fft_sizes:
            first, second = (log_spectral(x, n_fft, n_fft // 4) for x in (out, clean))
            error = ((first - second).square().mean(1) + _MIN_ERROR).sqrt().mean(1)
            distance = distance + error / len(self.n_fft_sizes)
        return (distance - self.snr_weight * snr(clean, out)) * clean.shape[1]
