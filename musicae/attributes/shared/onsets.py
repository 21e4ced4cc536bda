"""Where the notes of a rhythm begin, and what stands between them; axes as in `musicae.attribute`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Notes

__all__ = ["after_silence", "begins", "offbeat_share", "top_pitches"]

_RINGING = ("hi-hat", "crash", "ride")  # Drums that keep the time, and make no rhythm of their own.


def begins(notes: Notes) -> Tensor:
    """Return at which steps the rhythm has a note, ``(B, T)`` bool; of drums without hi-hats and cymbals."""
    if not notes.classes:
        return notes.onsets.any(1)
    struck = [not name.endswith(_RINGING) for name in notes.classes]
    return notes.onsets[:, torch.tensor(struck)].any(1)


def after_silence(starts: Tensor, steps: int) -> Tensor:
    """Return at which steps ``(B, T)`` none of the `steps` before has a start."""
    padded = F.pad(starts.float(), (steps, 0))[:, :-1]
    return padded.unfold(1, steps, 1).amax(2) == 0


def offbeat_share(notes: Notes, part: int) -> Tensor:
    """Return the share of starts in the middle of a `part` of a beat (1: the whole of it) that follow none in its half.

    It is NaN without a start, and where half of that part is no whole number of steps.
    """
    starts, (half, odd) = begins(notes), divmod(notes.steps_per_beat, 2 * part)
    if odd:
        return torch.full((len(starts),), torch.nan)
    between = torch.arange(starts.shape[1]) % (2 * half) == half
    return (starts & between & after_silence(starts, half)).sum(1) / starts.sum(1)


def top_pitches(notes: Notes) -> tuple[Tensor, Tensor]:
    """Return the highest pitch that begins at each step, ``(B, T)``, and where one does."""
    rows = torch.arange(notes.onsets.shape[1]).view(1, -1, 1)
    return notes.low + torch.where(notes.onsets, rows, 0).amax(1), notes.onsets.any(1)
