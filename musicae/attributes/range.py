"""How far apart notes lie."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Attribute, Notes

__all__ = ["Range"]


class Range(Attribute):
    """The distance of the highest note from the lowest."""

    unit = "semitones"
    about = "how far the highest note is from the lowest"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        used = notes.onsets.any(2)
        rows = torch.arange(used.shape[1], dtype=torch.float32)
        highest, lowest = torch.where(used, rows, -torch.inf).amax(1), torch.where(used, rows, torch.inf).amin(1)
        return torch.where(used.any(1), highest - lowest, torch.nan)
