"""How wide writing is."""

from __future__ import annotations

from torch import Tensor

from musicae.attributes.shared.moments import moments
from musicae.core import Attribute

__all__ = ["Width"]


class Width(Attribute):
    """The width without the slant: that of a bar of even grey with the same variance."""

    unit = "pixels"
    about = "how wide it is, without its slant"

    def of_pictures(self, pictures: Tensor) -> Tensor:
        """Return it for grey pictures, ``(B,)``."""
        wide, high, covariance = moments(pictures)
        return (12 * (wide - covariance.square() / high)).clamp_min(0).sqrt()
