"""How thick strokes are."""

from __future__ import annotations

from torch import Tensor

from musicae.core import Attribute

__all__ = ["Thickness"]


class Thickness(Attribute):
    """The width of strokes: a stroke has as much area as half of the length of its edge times its width.

    The length of the edge is the total variation, which is the same for a sharp edge and a soft one.
    """

    unit = "pixels"
    about = "how thick the strokes are"

    def of_pictures(self, pictures: Tensor) -> Tensor:
        """Return it for grey pictures, ``(B,)``."""
        x = pictures[:, 0]
        down, across = x[:, 1:, :-1] - x[:, :-1, :-1], x[:, :-1, 1:] - x[:, :-1, :-1]
        edge = (down.square() + across.square()).sqrt().sum((1, 2))
        return 2 * x.sum((1, 2)) / edge
