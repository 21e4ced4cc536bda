"""How much of a rhythm is off the beat."""

from __future__ import annotations

from torch import Tensor

from musicae.attributes.shared.onsets import offbeat_share
from musicae.core import Attribute, Notes

__all__ = ["Syncopation"]


class Syncopation(Attribute):
    """The share of notes on the off-beat eighth that follow none on the beat, nor between (Roberts et al., ICML 2018).

    Of drums it is that of kick, snare and toms.
    """

    about = "the share of notes on an off-beat eighth without one on the beat before"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        return offbeat_share(notes, 1)
