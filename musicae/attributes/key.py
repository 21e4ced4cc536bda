"""How clear the key is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Attribute, Notes
from musicae.tensors.musical import key_clarity

__all__ = ["Key"]


class Key(Attribute):
    """How clear the key is: how well the notes fit the best of the 24 keys, see `key_clarity`.

    The share of the notes that belong to the key would not do: of two bars of a song, it is all of them.
    """

    about = "how clear the key is: the correlation with the profile of the best one"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        count = notes.onsets.sum(2).float()
        count = F.pad(count, (notes.low % 12, -(notes.low + count.shape[1]) % 12))
        classes = count.view(len(count), -1, 12).sum(1)
        return torch.where(classes.sum(1) > 0, key_clarity(classes), torch.nan)
