"""How much comes again."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Attribute, Notes

__all__ = ["Repetition"]

_BEATS = (1, 2, 4, 8, 16, 32)  # After which notes may come again.


class Repetition(Attribute):
    """The share of the notes that come again after one, two, four ... beats, whichever gives the largest share."""

    about = "the share of notes that come again, one, two, four or more beats later"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        x, shares = notes.onsets, []
        for steps in (beats * notes.steps_per_beat for beats in _BEATS):
            if steps < x.shape[2]:
                later, earlier = x[..., steps:], x[..., :-steps]
                both = (later & earlier).sum((1, 2))
                shares.append(2 * both / (later.sum((1, 2)) + earlier.sum((1, 2))))
        found = torch.stack(shares or [torch.zeros(len(x))]).nan_to_num().amax(0)
        return torch.where(x.any(2).any(1), found, torch.nan)
