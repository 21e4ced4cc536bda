"""How far writing leans."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.attributes.shared.moments import moments
from musicae.core import Attribute

__all__ = ["Slant"]


class Slant(Attribute):
    """The angle by which it leans to the right: the shear that the second moments show (Castro et al., JMLR 2019)."""

    unit = "degrees"
    about = "how far it leans to the right"

    def of_pictures(self, pictures: Tensor) -> Tensor:
        """Return it for grey pictures, ``(B,)``."""
        _, high, covariance = moments(pictures)
        return torch.rad2deg(torch.atan2(covariance, high))
