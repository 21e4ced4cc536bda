"""How high notes and sounds are."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Attribute, Notes, Spectra

__all__ = ["Pitch"]

_HIGHEST = 2000.0  # In Hz, of the partials that make the pitch of a sound.
_NEAR = 2  # Rows beside the strongest that say where between them the partial lies.


class Pitch(Attribute):
    """The mean pitch of notes, or that of the strongest partial of a sound."""

    unit = "MIDI pitch"
    about = "how high it is; 60 is middle C"

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        count = notes.onsets.sum(2).float()
        rows = torch.arange(count.shape[1], dtype=torch.float32)
        return notes.low + (count @ rows) / count.sum(1)

    def of_spectra(self, spectra: Spectra) -> Tensor:
        """Return it for windows of sound, ``(B,)``; NaN for silence."""
        low = spectra.frequencies < _HIGHEST
        powers, frequencies = spectra.powers[:, low].sum(2), spectra.frequencies[low]
        near = (torch.arange(len(frequencies)) - powers.argmax(1, keepdim=True)).abs() <= _NEAR
        powers = powers * near
        return 69 + 12 * (powers @ (frequencies / 440).log2()) / powers.sum(1)
