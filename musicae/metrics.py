"""Figures of merit, as functions of tensors ``(N, C, *S)``; each returns one value a window, ``(N,)``."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["exact", "hamming", "onset_f1", "onsets", "psnr", "token_accuracy"]

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
