"""The tokens of a melody, one a step: 0 is a rest, 1 a hold (the last note goes on), 2 and up the onset of a pitch.

The scheme is that of MusicVAE (Roberts et al., ICML 2018). A line is either tokens ``(*, T)`` or one-hot ``(*, C, T)``;
pitches count from the lowest one: ``0 .. C - 3``. A hold at the first step of a
window means that a note goes on from before it; without any note before it in the line, it counts as a rest.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "FIRST_ONSET",
    "HOLD",
    "REST",
    "canonical",
    "from_notes",
    "notes",
    "one_hot",
    "onsets",
    "sounding",
    "tokens",
    "transpose",
]

Ints = NDArray[np.int64]

REST, HOLD, FIRST_ONSET = 0, 1, 2

_COMMON_ONSET = 130
"""Where `canonical` moves the first onset: the smallest token with room for 128 pitches between it and the hold."""


def tokens(x: Tensor) -> Tensor:
    """Return the tokens, uint8 ``(*, T)``, of one-hot values or logits ``(*, C, T)``: the largest counts."""
    return x.argmax(dim=-2).to(torch.uint8)


def one_hot(line: Tensor, channels: int) -> Tensor:
    """Return tokens ``(*, T)`` as one-hot float32 ``(*, C, T)``."""
    values = torch.zeros(*line.shape[:-1], channels, line.shape[-1], device=line.device)
    return values.scatter_(-2, line.long().unsqueeze(-2), 1.0)


def onsets(x: Tensor) -> Tensor:
    """Return where notes begin in one-hot ``(N, C, T)``: ``(N, C - 2, T)``, 0 or 1, a row for each pitch."""
    return x[:, FIRST_ONSET:]


def sounding(x: Tensor) -> Tensor:
    """Return at which steps of one-hot ``(N, C, T)`` a note begins or goes on: ``(N, T)``, bool."""
    return tokens(x) != REST


def from_notes(start: Ints, end: Ints, pitch: Ints, length: int) -> NDArray[np.uint8]:
    """Return the tokens, uint8 ``(T,)`` with ``T = length``, of notes ``(N,)``; the inverse of `notes`.

    `start` and `end` are in steps, ``0 <= start < end <= length``; no two notes begin at the same step.
    """
    change = np.bincount(start, minlength=length + 1) - np.bincount(end, minlength=length + 1)
    line = (change.cumsum()[:-1] > 0).astype(np.uint8)  # A hold, or a rest.
    line[start] = FIRST_ONSET + pitch
    return line


def notes(line: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the notes of tokens ``(T,)``: where each begins, where it ends, and its pitch, each int64 ``(N,)``.

    A note ends at the next step that is not a hold.
    """
    line = line.long()
    start = (line >= FIRST_ONSET).nonzero().squeeze(1)
    breaks = torch.cat([(line != HOLD).nonzero().squeeze(1), line.new_tensor([len(line)])])
    end = breaks[torch.searchsorted(breaks, start, right=True)]
    return start, end, line[start] - FIRST_ONSET


def transpose(line: Tensor, semitones: Tensor, channels: int) -> Tensor:
    """Return tokens ``(B, T)``, int64, each line transposed by its number of `semitones` ``(B, 1)``.

    A line that would leave the range of `channels` is moved as far as it can go.
    """
    line = line.long()
    is_onset = line >= FIRST_ONSET
    lowest = torch.where(is_onset, line, channels).amin(dim=1, keepdim=True)
    highest = torch.where(is_onset, line, 0).amax(dim=1, keepdim=True)
    shift = semitones.maximum(FIRST_ONSET - lowest).minimum(channels - 1 - highest)
    return torch.where(is_onset, line + shift, line)


def canonical(line: Tensor) -> Tensor:
    """Return tokens ``(N, T)`` as int16, the first onset of each line moved to the same one.

    Two lines are equal here if and only if one is the other transposed. The numbers are for comparing only.
    """
    line = line.to(torch.int16)
    is_onset = line >= FIRST_ONSET
    first = line.gather(1, is_onset.int().argmax(dim=1, keepdim=True))
    return torch.where(is_onset, line - first + _COMMON_ONSET, line)
