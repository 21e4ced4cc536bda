"""Metrics: of tensors ``(N, C, *S)``, a value a window, ``(N,)``; of two sets of numbers or vectors, one value."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.tensors import dsp

__all__ = [
    "auroc",
    "exact",
    "frechet",
    "hamming",
    "log_spectral_distance",
    "mel_distance",
    "multi_resolution_stft",
    "onset_f1",
    "psnr",
    "si_sdr",
    "snr",
    "token_accuracy",
]

_MIN_MAGNITUDE = 1e-5  # Of a bin or band in a logarithm: -100 dB.


def _differs(a: Tensor, b: Tensor) -> Tensor:
    return (a != b).any(dim=1).flatten(1)


def hamming(a: Tensor, b: Tensor) -> Tensor:
    """Return the number of places (steps, pixels) at which two tensors differ in any channel."""
    return _differs(a, b).sum(1).float()


def token_accuracy(target: Tensor, output: Tensor) -> Tensor:
    """Return the share of places at which every channel is right."""
    return 1.0 - _differs(target, output).float().mean(1)


def exact(target: Tensor, output: Tensor) -> Tensor:
    """Return 1 for windows that are right everywhere, else 0."""
    return (hamming(target, output) == 0).float()


def onset_f1(target_onsets: Tensor, output_onsets: Tensor) -> Tensor:
    """Return the F1 score of onsets ``(N, C, T)`` of 0 and 1, as `Adapter.onsets` gives them: ``(N,)``.

    An onset is right if its channel and its step are; the score is 1 if neither has any onset (Raffel et al. 2014).
    """
    true, predicted = target_onsets.flatten(1), output_onsets.flatten(1)
    right, total = (true * predicted).sum(1), true.sum(1) + predicted.sum(1)
    return torch.where(total > 0, 2 * right / total.clamp_min(1), torch.ones_like(right))


def psnr(target: Tensor, output: Tensor, peak: float = 1.0) -> Tensor:
    """Return the peak signal-to-noise ratio in dB; infinite where nothing differs."""
    error = (target - output).flatten(1).square().mean(1)
    return 10 * (peak**2 / error).log10()


def auroc(inliers: Tensor, outliers: Tensor) -> float:
    """Return how often an outlier's score ``(M,)`` is above an inlier's ``(N,)``, a tie counting as one half.

    That is the area under the receiver operating characteristic (Mann and Whitney 1947; Hanley and McNeil 1982).
    """
    ranked = inliers.double().sort().values
    scores = outliers.double().contiguous()
    below = torch.searchsorted(ranked, scores) + torch.searchsorted(ranked, scores, right=True)
    return below.double().mean().item() / (2 * len(ranked))


def frechet(a: Tensor, b: Tensor) -> float:
    """Return the squared Frechet distance between Gaussians fitted to vectors ``(N, D)`` and ``(M, D)``.

    ``|mu_a - mu_b|^2 + tr(A + B - 2 (A^(1/2) B A^(1/2))^(1/2))`` (Dowson and Landau 1982; Heusel et al. 2017, as FID).
    """
    a, b = a.double(), b.double()
    first, second = torch.cov(a.T).reshape(a.shape[1], -1), torch.cov(b.T).reshape(b.shape[1], -1)
    root = _root(first)
    middle = torch.linalg.eigvalsh(root @ second @ root).clamp_min(0).sqrt().sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + first.trace() + second.trace() - 2 * middle)


def _root(matrix: Tensor) -> Tensor:
    """Return the square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


# --- sounds: ``(N, C, T)`` samples ---------------------------------------------------------------------------------


def snr(target: Tensor, output: Tensor) -> Tensor:
    """Return the signal-to-noise ratio in dB, mean over channels, ``(N,)`` (see `musicae.tensors.dsp.snr`)."""
    return dsp.snr(target, output).flatten(1).mean(1)


def si_sdr(target: Tensor, output: Tensor) -> Tensor:
    """Return the scale-invariant signal-to-distortion ratio in dB, mean over channels (Le Roux et al. 2019)."""
    return dsp.si_sdr(target, output).flatten(1).mean(1)


def log_spectral_distance(target: Tensor, output: Tensor, n_fft: int = 2048, hop: int = 512) -> Tensor:
    """Return the root mean square over frequency of the difference of log10 powers, mean over frames, ``(N,)``.

    Powers are at least 1e-8 (Gray and Markel 1976; as in Kuleshov, Enam and Ermon 2017, audio super-resolution).
    """
    first, second = (dsp.log_spectral(x, n_fft, hop) for x in (target, output))
    return (first - second).square().mean(-2).sqrt().flatten(1).mean(1)


def mel_distance(target: Tensor, output: Tensor, rate: int = 44_100, n_fft: int = 2048, hop: int = 512) -> Tensor:
    """Return the mean absolute difference of log10 magnitudes in 80 mel bands, ``(N,)``; `rate` is in Hz."""
    from torchaudio.functional import melscale_fbanks

    banks = melscale_fbanks(n_fft // 2 + 1, 0.0, rate / 2, 80, rate, norm="slaney", mel_scale="slaney").to(target)
    first, second = (
        torch.einsum("ncft,fm->ncmt", dsp.magnitudes(x, n_fft, hop), banks).clamp_min(_MIN_MAGNITUDE).log10()
        for x in (target, output)
    )
    return (first - second).abs().flatten(1).mean(1)


def multi_resolution_stft(target: Tensor, output: Tensor) -> Tensor:
    """Return the mean over three resolutions of spectral convergence and log magnitude distance, ``(N,)``.

    Windows of 512, 1024 and 2048 samples, with hops of a quarter (Yamamoto, Song and Kim 2020, Parallel WaveGAN).
    """
    total = torch.zeros(len(target), device=target.device)
    for n_fft in (512, 1024, 2048):
        first, second = (
            dsp.magnitudes(x, n_fft, n_fft // 4).flatten(1).clamp_min(_MIN_MAGNITUDE) for x in (target, output)
        )
        total = total + (first - second).norm(dim=1) / first.norm(dim=1) + (first.log() - second.log()).abs().mean(1)
    return total / 3
