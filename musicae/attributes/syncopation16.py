"""How much of a rhythm is between the eighths."""

from __future__ import annotations

from torch import Tensor

from musicae.attributes.shared.onsets import offbeat_share
from musicae.core import Attribute, Notes

__all__ = ["Syncopation16"]


class Syncopation16(Attribute):
    """The share of notes on an off-beat sixteenth that follow none on the eighth before (Roberts et al., ICML 2018).

    Of drums it is that of kick, snare and toms.
    """

    about = "the share of notes on an off-beat sixteenth without one on the eighth before"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        return offbeat_share(notes, 2)
