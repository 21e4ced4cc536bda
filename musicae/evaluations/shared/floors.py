"""Simple rivals of networks that restore pictures, and what their published figures are measured with."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from musicae.tensors.luma import LUMA_WEIGHTS

__all__ = ["back_projection", "nlm", "rec601_luma", "resize", "to_bytes"]


def nlm(noisy: Tensor, deviation: Tensor) -> Tensor | None:
    """Denoise ``(N, C, H, W)``, values about 0 .. 1, by non-local means (Buades, Coll and Morel 2005).

    `deviation` ``(N,)`` is the true standard deviation of the noise. None if scikit-image is not installed
    (``musicae[floors]``).
    """
    if importlib.util.find_spec("skimage") is None:
        return None
    from skimage.restoration import denoise_nl_means

    out = torch.empty_like(noisy)
    for i, (picture, sigma) in enumerate(zip(noisy, deviation.tolist(), strict=True)):
        sigma = max(sigma, 1e-3)
        denoised = denoise_nl_means(
            picture.movedim(0, -1).numpy(),
            patch_size=5,
            patch_distance=6,
            h=0.6 * sigma,
            sigma=sigma,
            fast_mode=True,
            channel_axis=-1,
        )
        out[i] = torch.from_numpy(denoised).view(*picture.shape[1:], -1).movedim(-1, 0)
    return out


def back_projection(
    small: Tensor, enlarge: Callable[[Tensor], Tensor], reduce: Callable[[Tensor], Tensor], steps: int = 30
) -> Tensor:
    """Enlarge `small` ``(N, C, H, W)`` so that it reduces to `small` again (Irani and Peleg 1991), within 0 .. 1."""
    out = enlarge(small).clamp(0, 1)
    for _ in range(steps):
        out = (out + enlarge(small - reduce(out))).clamp(0, 1)
    return out


def resize(x: Tensor, scale: float) -> Tensor:
    """Resize ``(..., H, W)`` like MATLAB's ``imresize(x, scale, 'bicubic')``.

    The kernel is by Keys (1981, a = -1/2), stretched against aliasing when reducing; beyond its edges the picture is
    mirrored. The values are not clipped.
    """
    down, across = (_resize_matrix(size, scale).to(x) for size in x.shape[-2:])
    return down @ x @ across.T


@lru_cache(maxsize=64)
def _resize_matrix(size: int, scale: float) -> Tensor:
    """Return the matrix ``(ceil(size * scale), size)`` that resizes one axis."""
    stretch = min(scale, 1.0)
    width = 4 / stretch
    centre = (torch.arange(math.ceil(size * scale), dtype=torch.float64) + 0.5) / scale - 0.5
    position = (centre - width / 2).floor()[:, None] + torch.arange(math.ceil(width) + 2)
    weight = _cubic((centre[:, None] - position) * stretch)
    weight /= weight.sum(1, keepdim=True)
    mirrored = position.long() % (2 * size)
    mirrored = torch.minimum(mirrored, 2 * size - 1 - mirrored)
    return torch.zeros(len(centre), size, dtype=torch.float64).scatter_add_(1, mirrored, weight)


def _cubic(t: Tensor) -> Tensor:
    t = t.abs()
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return torch.where(t <= 1, near, torch.where(t <= 2, far, 0.0))


def to_bytes(x: Tensor) -> Tensor:
    """Return values 0 .. 1 rounded as in an 8-bit file, still in 0 .. 1."""
    return (x.clamp(0, 1) * 255).round() / 255


def rec601_luma(x: Tensor) -> Tensor:
    """Return Y of ``(..., 3, H, W)`` like MATLAB's ``rgb2ycbcr`` in bytes (ITU-R BT.601: 16 .. 235), in 0 .. 1.

    One channel ``(..., 1, H, W)`` is taken as luma over the full range, and scaled to 16 .. 235.
    """
    weights = torch.tensor([219 * share for share in (LUMA_WEIGHTS if x.shape[-3] == 3 else (1.0,))]).to(x)
    return to_bytes((16 + (x * weights.view(-1, 1, 1)).sum(-3, keepdim=True)) / 255)
