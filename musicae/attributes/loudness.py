"""How loud notes are."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Attribute, Notes

__all__ = ["Loudness"]


class Loudness(Attribute):
    """The mean velocity of the notes, over the steps at which any begin."""

    unit = "velocity"
    about = "the mean velocity, 1 to 127"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``; NaN for windows that do not say it."""
        if notes.loudness is None:
            return torch.full((len(notes.onsets),), torch.nan)
        starts = notes.onsets.any(1)
        return 127 * (notes.loudness * starts).sum(1) / starts.sum(1)
