"""Likelihoods: what turns a decoder's output into a distribution and a loss.

All are over ``(B, C, *S)``; `nll` sums over everything but the batch, in nats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .errors import MusicaeError
from .waves import intelligibility, log_spectral, snr

__all__ = ["Bernoulli", "Categorical", "Gaussian", "Laplace", "LogSpectral", "Spectral"]

_LEAST = 1e-6  # Mean squared error, or power of a bin, below which it makes no difference.
_SILENT = 1e-5  # Power of a bin, of a sound of power one, below which it is not heard.
_QUIETEST = 1e-8  # Power below which a sound is not made louder to be compared: -80 dB.
_ENOUGH = 40.0  # Decibels of signal-to-noise ratio that are as good as any more.


class Categorical:
    """One of ``C`` classes at each place; `params` are logits, values one-hot over axis 1."""

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, ``(B,)``."""
        return F.cross_entropy(params, target.argmax(1), reduction="none").flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the likeliest class, one-hot."""
        return self._one_hot(params.argmax(1), params)

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw a class at each place from ``softmax(params / temperature)`` by the Gumbel-max trick."""
        if temperature <= 0:
            return self.mode(params)
        uniform = torch.rand(params.shape, generator=generator).clamp_(1e-20, 1 - 1e-7).to(params)
        return self.mode(params / temperature - (-uniform.log()).log())

    @staticmethod
    def _one_hot(index: Tensor, like: Tensor) -> Tensor:
        return torch.zeros_like(like).scatter_(1, index.unsqueeze(1), 1.0)


class Bernoulli:
    """Each value is 0 or 1 on its own; `params` are logits. Targets in between are taken as probabilities.

    With `grey` the mode is the probability itself, as fits pictures whose greys are probabilities.
    """

    def __init__(self, grey: bool = False) -> None:
        self.grey = grey

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the binary cross-entropy, ``(B,)``."""
        return F.binary_cross_entropy_with_logits(params, target, reduction="none").flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return 1 where the probability is over one half, or with `grey` the probability."""
        return torch.sigmoid(params) if self.grey else (params > 0).to(params)

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw each value from ``sigmoid(params / temperature)``."""
        if temperature <= 0:
            return self.mode(params)
        uniform = torch.rand(params.shape, generator=generator).to(params)
        return (uniform < torch.sigmoid(params / temperature)).to(params)


class Gaussian:
    """Real values around `params` with a standard deviation `scale`.

    A `scale` of 0 means the likeliest for each example, the root of its own mean squared error (Rybkin, Daniilidis
    and Levine 2021, sigma-VAE): the mean logarithm of the error is minimised, and so the mean PSNR maximised.
    With `clip` the mode is kept within 0 .. 1, as fits pictures.
    """

    def __init__(self, scale: float = 1.0, clip: bool = False) -> None:
        self.scale, self.clip = scale, clip

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the negative log-density, ``(B,)``."""
        if not self.scale:
            error = (params - target).square().flatten(1)
            return 0.5 * error.shape[1] * ((error.mean(1) + _LEAST).log() + 1.0 + math.log(2 * math.pi))
        squared = ((params - target) / self.scale).square()
        return (0.5 * squared + math.log(self.scale) + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the mean."""
        return params.clamp(0.0, 1.0) if self.clip else params

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw around the mean with ``temperature * scale``."""
        noise = torch.randn(params.shape, generator=generator).to(params)
        return params + temperature * self.scale * noise


class Laplace:
    """Real values around `params` with a mean absolute deviation `scale`: their median is learnt, not their mean."""

    def __init__(self, scale: float = 1.0) -> None:
        if not scale > 0:
            raise MusicaeError(f"[likelihood] scale must be over 0, not {scale}")
        self.scale = scale

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the negative log-density, ``(B,)``."""
        return ((params - target).abs() / self.scale + math.log(2 * self.scale)).flatten(1).sum(1)

    def mode(self, params: Tensor) -> Tensor:
        """Return the median."""
        return params

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw around the median with ``temperature * scale``."""
        place = torch.rand(params.shape, generator=generator).to(params) - 0.5
        noise = -place.sign() * torch.log1p(-2 * place.abs().clamp_max(0.4999999))
        return params + temperature * self.scale * noise


class _Sound:
    """Distances of sounds ``(B, 1, T)``, which are no densities."""

    def mode(self, params: Tensor) -> Tensor:
        """Return the sound itself."""
        return params

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Return the sound itself: there is no density to draw from."""
        return params


class Spectral(_Sound):
    """Sounds ``(B, 1, T)`` beside `params` of that shape: how unlike their spectra and their samples are. No density.

    The weighted sum of four parts, for sounds brought to one loudness: the mean squared difference of magnitudes to
    the power of `power` (weight `magnitude`), that of the complex spectra so compressed (`phase`; Braun and Tashev
    2021), the negative signal-to-noise ratio in dB (`ratio`), which, unlike the scale-invariant one, keeps what
    comes out as loud as it was, and what of the words is lost (`words`; see `musicae.waves.intelligibility`; to learn
    by it is of Kolbaek et al. 2018). `n_fft` and `hop` are of the spectra, in samples; `rate`, in Hz, matters to
    `words` alone.
    """

    def __init__(
        self, n_fft: int = 512, hop: int = 128, power: float = 0.3, magnitude: float = 7.0, phase: float = 3.0,
        ratio: float = 0.08, words: float = 0.0, rate: int = 16_000,
    ) -> None:  # fmt: skip
        self.n_fft, self.hop, self.power = n_fft, hop, power
        self.words, self.rate = words, rate
        self.magnitude, self.phase, self.ratio = magnitude, phase, ratio

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the weighted sum times the number of samples, ``(B,)``."""
        out, clean = params.flatten(1).float(), target.flatten(1).float()
        scale = clean.square().mean(1, keepdim=True).clamp_min(_QUIETEST).rsqrt()
        made, true = (self._spectra(one * scale) for one in (out, clean))
        powers = [one.real.square() + one.imag.square() + _SILENT for one in (made, true)]
        sizes = [one.pow(self.power / 2) for one in powers]
        units = [one * size.pow((self.power - 1) / 2) for one, size in zip((made, true), powers, strict=True)]
        apart = units[0] - units[1]
        loss = self.magnitude * (sizes[0] - sizes[1]).square().flatten(1).mean(1)
        loss = loss + self.phase * (apart.real.square() + apart.imag.square()).flatten(1).mean(1)
        if self.ratio:
            loss = loss - self.ratio * snr(clean, out, _ENOUGH)
        if self.words:
            loss = loss - self.words * intelligibility(clean, out, self.rate)
        return loss * clean.shape[1]

    def _spectra(self, x: Tensor) -> Tensor:
        window = torch.hann_window(self.n_fft, device=x.device)
        spectra: Tensor = torch.stft(x, self.n_fft, self.hop, window=window, return_complex=True)
        return spectra / math.sqrt(self.n_fft)


class LogSpectral(_Sound):
    """Sounds ``(B, 1, T)`` by how far the logarithms of their spectra are apart, and by their signal-to-noise ratio.

    The log-spectral distance (see `musicae.metrics`), less `ratio` for each decibel. What is added with a phase that
    is not the true one lowers the ratio, so of what is loud less is added. The distance is the mean of those with
    windows of each of `sizes` samples: what flutters within the longest is seen by the shortest.
    """

    def __init__(self, ratio: float = 0.1, sizes: Sequence[int] = (2048, 512)) -> None:
        if not isinstance(sizes, list | tuple) or not sizes or any(type(one) is not int or one < 4 for one in sizes):
            raise MusicaeError(f"[likelihood] sizes must be one or more windows of 4 samples or more, not {sizes}")
        self.ratio, self.sizes = ratio, tuple(sizes)

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the distance times the number of samples, ``(B,)``."""
        out, clean = params.flatten(1).float(), target.flatten(1).float()
        distance = torch.zeros(len(clean), device=clean.device)
        for size in self.sizes:
            first, second = (log_spectral(x, size, size // 4) for x in (out, clean))
            distance = distance + ((first - second).square().mean(1) + _LEAST).sqrt().mean(1) / len(self.sizes)
        return (distance - self.ratio * snr(clean, out)) * clean.shape[1]
