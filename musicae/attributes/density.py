"""How many notes there are."""

from __future__ import annotations

from torch import Tensor

from musicae.core import Attribute, Notes

__all__ = ["Density"]

_BEATS = 4  # In a bar.


class Density(Attribute):
    """The number of notes in a bar of 4/4."""

    unit = "notes a bar"
    about = "how many notes begin in a bar of 4/4"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        return notes.onsets.sum((1, 2)) * (_BEATS * notes.steps_per_beat) / notes.onsets.shape[2]
