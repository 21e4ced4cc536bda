"""How far the eighths of a rhythm swing."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Attribute, Notes

__all__ = ["Swing"]


class Swing(Attribute):
    """Where the second eighth of a beat falls: 50 % of the beat is straight, 67 % are triplets, 75 % is dotted.

    Counted are beats with a note on the beat and one other, which begins in the second half.
    """

    unit = "%"
    about = "where the second eighth falls in the beat: 50 is straight, 67 are triplets"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``; NaN for those that have no such beat, or say no timing."""
        per_beat = notes.steps_per_beat
        if notes.late is None or per_beat % 2 or notes.onsets.shape[2] % per_beat:
            return torch.full((len(notes.onsets),), torch.nan)
        beats = notes.onsets.shape[2] // per_beat
        starts = notes.onsets.any(1).view(-1, beats, per_beat)
        place = torch.arange(per_beat) + notes.late.view(-1, beats, per_beat) * starts
        second = starts[..., per_beat // 2 :]
        counted = starts[..., 0] & (second.sum(2) == 1) & ~starts[..., 1 : per_beat // 2].any(2)
        found = (place[..., per_beat // 2 :] * second).sum(2) - place[..., 0]
        return 100 / per_beat * (found * counted).sum(1) / counted.sum(1)
