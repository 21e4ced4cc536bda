"""The luma of colours: how bright each looks, as a weighted sum of red, green and blue (ITU-R BT.601, as in JPEG)."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["LUMA_WEIGHTS", "luma"]

LUMA_WEIGHTS = (0.299, 0.587, 0.114)
"""Of red, green and blue."""


def luma(x: Tensor) -> Tensor:
    """Return the luma ``(..., 1, H, W)`` of colours ``(..., 3, H, W)``, in the same unit."""
    return torch.tensor(LUMA_WEIGHTS).to(x).view(3, 1, 1).mul(x).sum(-3, keepdim=True)
