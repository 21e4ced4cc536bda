"""The moments of grey pictures ``(B, 1, H, W)``."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["moments"]


def moments(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the variance along x, the one along y, and the covariance, ``(B,)`` each, in pixels; y grows upwards."""
    x = pictures[:, 0]
    share = x / x.sum((1, 2), keepdim=True)
    down, across = (torch.arange(size, dtype=x.dtype) for size in x.shape[1:])
    up = -down
    middle_x, middle_y = share.sum(1) @ across, share.sum(2) @ up
    dx, dy = across - middle_x[:, None], up - middle_y[:, None]
    covariance = torch.einsum("bhw,bh,bw->b", share, dy, dx)
    return (share.sum(1) * dx.square()).sum(1), (share.sum(2) * dy.square()).sum(1), covariance
