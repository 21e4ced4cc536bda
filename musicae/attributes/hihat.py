"""How much of a beat the hi-hat plays."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Attribute, Notes

__all__ = ["HiHat"]


class HiHat(Attribute):
    """The share of the hits that are the hi-hat's."""

    about = "the share of the hits that are the hi-hat's"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of drums, ``(B,)``."""
        hits = notes.onsets.sum(2).float()
        return hits @ torch.tensor([float("hi-hat" in name) for name in notes.classes]) / hits.sum(1)
