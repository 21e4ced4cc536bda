"""Measures of music: how much of it comes back, and how clear its key is; a value for each window, ``(N,)``."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["key_clarity", "key_name", "key_of", "pitch_name", "repeated_bars"]

_NEAR = 0.1  # Share of the steps in which a bar that comes back may differ.

# How well each pitch class fits C major and C minor, from the tonic up (Krumhansl and Kessler 1982, probe tones).
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

_MAJOR_KEYS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_KEYS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


def repeated_bars(parts: Sequence[Tensor], plays: Tensor, bar: int) -> Tensor:
    """Return the share of bars for which another one of the window is the same, but for 10 % of its steps: ``(N,)``.

    `parts` are discrete values, ``(N, C, T)`` each, `plays` ``(N, parts, T)`` tells where each sounds, and a bar has
    `bar` steps; one that is not whole is left out. The steps of all parts that play in either bar count. Silent bars do
    not come back, nor are they counted; a window without others is NaN.
    """
    count = plays.shape[2] // bar
    bars = [x[..., : count * bar].reshape(*x.shape[:2], count, bar).movedim(2, 1) for x in parts]
    sounds = plays[..., : count * bar].reshape(*plays.shape[:2], count, bar).any(3).movedim(2, 1)
    again = torch.zeros(len(plays), count, dtype=torch.bool)
    for shift in range(1, count):
        either = sounds[:, shift:] | sounds[:, :-shift]
        differs = torch.stack([(x[:, shift:] != x[:, :-shift]).any(2).sum(2) for x in bars], dim=2)
        same = (differs * either).sum(2) <= _NEAR * bar * either.sum(2)
        again[:, shift:] |= same
        again[:, :-shift] |= same
    counts = sounds.any(2)
    shares: Tensor = (again & counts).sum(1) / counts.sum(1)
    return shares


def key_clarity(durations: Tensor) -> Tensor:
    """Return how well `durations` ``(N, 12)`` of the pitch classes, from C up, fit the best of the 24 keys: ``(N,)``.

    It is the correlation with the key's profile (Krumhansl 1990, "Cognitive Foundations of Musical Pitch", ch. 4).
    Where no pitch class stands out, as in silence, it is NaN.
    """
    return _correlations(durations).amax(1).float()


def key_of(durations: Tensor) -> tuple[int, bool] | None:
    """Return the key that `durations` ``(12,)`` of the pitch classes fit best: its tonic, and whether it is minor.

    The square roots of the durations are correlated with the keys' profiles (see `key_clarity`), so that a note that is
    repeated does not drown the others. It is None where no pitch class stands out.
    """
    fit = _correlations(durations.double().sqrt()[None])[0]
    if fit.isnan().any():
        return None
    best = int(fit.argmax())
    return best // 2, best % 2 == 1


def pitch_name(pitch: int) -> str:
    """Return the name of a MIDI pitch with its octave; 60 is C4."""
    return f"{_MAJOR_KEYS[pitch % 12]}{pitch // 12 - 1}"


def key_name(tonic: int, minor: bool) -> str:
    """Return the usual name of a key, such as ``"Bb major"``; tonics count from C up."""
    return f"{(_MINOR_KEYS if minor else _MAJOR_KEYS)[tonic]} {'minor' if minor else 'major'}"


def _correlations(durations: Tensor) -> Tensor:
    """Return how well `durations` ``(N, 12)`` fit each key, ``(N, 24)``: C major, C minor, C sharp major ..."""
    keys = torch.tensor([_MAJOR, _MINOR], dtype=torch.float64)
    keys = torch.cat([keys.roll(root, 1) for root in range(12)])
    a, b = (rows - rows.mean(1, keepdim=True) for rows in (durations.double(), keys))
    fit: Tensor = a @ b.T / (a.norm(dim=1, keepdim=True) * b.norm(dim=1))
    return fit
