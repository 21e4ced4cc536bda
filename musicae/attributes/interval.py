"""How far a line of notes leaps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.attributes.shared.onsets import top_pitches
from musicae.core import Attribute, Notes

__all__ = ["Interval"]


class Interval(Attribute):
    """The mean interval from one note of a line to the next, up or down; of chords that of their top notes."""

    unit = "semitones"
    about = "the mean interval from a note to the next, up or down"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``; NaN where there are fewer than two."""
        pitch, starts = top_pitches(notes)
        steps = torch.where(starts, torch.arange(pitch.shape[1]), -1).cummax(1).values
        last = F.pad(steps, (1, 0), value=-1)[:, :-1]
        follows = starts & (last >= 0)
        leaps = (pitch - pitch.gather(1, last.clamp_min(0))).abs() * follows
        return leaps.sum(1) / follows.sum(1)
