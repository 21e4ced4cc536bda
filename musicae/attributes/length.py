"""How long a sound lasts."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Attribute, Spectra

__all__ = ["Length"]

_FALL = 1e-4  # Of the power of the loudest frame: 40 dB.


class Length(Attribute):
    """The time until a sound stays 40 dB below its loudest."""

    unit = "seconds"
    about = "how long it lasts, until it is 40 dB below its loudest"

    def of_spectra(self, spectra: Spectra) -> Tensor:
        """Return it for windows of sound, ``(B,)``; NaN for silence."""
        level = spectra.powers.sum(1)
        peak = level.amax(1, keepdim=True)
        last = torch.where(level > _FALL * peak, torch.arange(1.0, level.shape[1] + 1), 0.0).amax(1)
        return torch.where(peak[:, 0] > 0, last / spectra.frames_per_second, torch.nan)
