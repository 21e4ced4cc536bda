"""Figures of merit: of tensors ``(N, C, *S)``, one value a window, ``(N,)``; of two sets of numbers or vectors, one."""

from __future__ import annotations

import torch
from torch import Tensor

from . import waves

__all__ = [
    "auroc",
    "exact",
    "frechet",
    "hamming",
    "log_spectral_distance",
    "mel_distance",
    "multi_resolution_stft",
    "onset_f1",
    "onsets",
    "psnr",
    "si_sdr",
    "snr",
    "token_accuracy",
]

_FIRST_ONSET = 2  # Of one-hot lines: 0 is a rest, 1 a hold, the pitches follow.


def _differs(a: Tensor, b: Tensor) -> Tensor:
    return (a != b).any(dim=1).flatten(1)


def hamming(a: Tensor, b: Tensor) -> Tensor:
    """Return at how many places (steps, pixels) two tensors differ in any channel."""
    return _differs(a, b).sum(1).float()


def token_accuracy(target: Tensor, output: Tensor) -> Tensor:
    """Return the share of places at which every channel is right."""
    return 1.0 - _differs(target, output).float().mean(1)


def exact(target: Tensor, output: Tensor) -> Tensor:
    """Return 1 where the whole window is right, else 0."""
    return (hamming(target, output) == 0).float()


def onsets(x: Tensor, one_hot: bool) -> Tensor:
    """Return where notes start, ``(N, C', T)`` 0/1: all channels of drums, the pitches of a one-hot line."""
    return x[:, _FIRST_ONSET:] if one_hot else x


def onset_f1(target: Tensor, output: Tensor, one_hot: bool = True) -> Tensor:
    """Return the F1 score of the onsets, pitch and step both right; 1 where neither has any (Raffel et al. 2014)."""
    true, found = onsets(target, one_hot).flatten(1), onsets(output, one_hot).flatten(1)
    right, all_of_them = (true * found).sum(1), true.sum(1) + found.sum(1)
    return torch.where(all_of_them > 0, 2 * right / all_of_them.clamp_min(1), torch.ones_like(right))


def psnr(target: Tensor, output: Tensor, peak: float = 1.0) -> Tensor:
    """Return the peak signal-to-noise ratio in dB; infinite where nothing differs."""
    error = (target - output).flatten(1).square().mean(1)
    return 10 * (peak**2 / error).log10()


def auroc(inliers: Tensor, outliers: Tensor) -> float:
    """Return how often an outlier's score ``(M,)`` is above an inlier's ``(N,)``, a tie counting as one half.

    That is the area under the receiver operating characteristic (Mann and Whitney 1947; Hanley and McNeil 1982).
    """
    known = inliers.double().sort().values
    found = outliers.double().contiguous()
    below = torch.searchsorted(known, found) + torch.searchsorted(known, found, right=True)
    return below.double().mean().item() / (2 * len(known))


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
    """Return the signal-to-noise ratio in dB, mean over channels, ``(N,)`` (see `musicae.waves.snr`)."""
    return waves.snr(target, output).flatten(1).mean(1)


def si_sdr(target: Tensor, output: Tensor) -> Tensor:
    """Return the scale-invariant signal-to-distortion ratio in dB, mean over channels (Le Roux et al. 2019)."""
    return waves.si_sdr(target, output).flatten(1).mean(1)


def log_spectral_distance(target: Tensor, output: Tensor, n_fft: int = 2048, hop: int = 512) -> Tensor:
    """Return the root mean square over frequency of the difference of log10 powers, mean over frames, ``(N,)``.

    Powers below 1e-8 count as that (Gray and Markel 1976; as in Kuleshov, Enam and Ermon 2017, audio super-resolution).
    """
    first, second = (waves.log_spectral(x, n_fft, hop) for x in (target, output))
    return (first - second).square().mean(-2).sqrt().flatten(1).mean(1)


def mel_distance(target: Tensor, output: Tensor, rate: int = 44_100, n_fft: int = 2048, hop: int = 512) -> Tensor:
    """Return the mean absolute difference of log10 magnitudes in 80 mel bands, ``(N,)``; `rate` is in Hz."""
    from torchaudio.functional import melscale_fbanks

    banks = melscale_fbanks(n_fft // 2 + 1, 0.0, rate / 2, 80, rate, norm="slaney", mel_scale="slaney").to(target)
    first, second = (
        torch.einsum("ncft,fm->ncmt", waves.magnitudes(x, n_fft, hop), banks).clamp_min(1e-5).log10()
        for x in (target, output)
    )
    return (first - second).abs().flatten(1).mean(1)


def multi_resolution_stft(target: Tensor, output: Tensor) -> Tensor:
    """Return the mean over three resolutions of spectral convergence and log magnitude distance, ``(N,)``.

    Windows of 512, 1024 and 2048 samples, a quarter of that apart (Yamamoto, Song and Kim 2020, Parallel WaveGAN).
    """
    total = torch.zeros(len(target), device=target.device)
    for n_fft in (512, 1024, 2048):
        first, second = (waves.magnitudes(x, n_fft, n_fft // 4).flatten(1).clamp_min(1e-5) for x in (target, output))
        total = total + (first - second).norm(dim=1) / first.norm(dim=1) + (first.log() - second.log()).abs().mean(1)
    return total / 3
