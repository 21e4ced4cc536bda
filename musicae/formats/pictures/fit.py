"""Pictures brought to the size of a window, and freed of what a network cannot see: transparency."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicae.errors import Line, line_of
from musicae.formats.pictures.files import Raster, grey, resize
from musicae.tensors.digits import find_digit, is_digit
from musicae.tensors.windows import tiles

__all__ = ["centred", "digit", "scaled", "spread", "without_alpha"]

_TILE, _REACH = 512, 64  # Pixels; no network of ours sees further.
_SAMPLES = 1_000_000  # Pixels that tell whether a picture is light.
_STRIP = 256  # Rows at a time, so that a large picture is not copied as real numbers.
_SEARCHED = 640  # The longer side of the picture in which a digit is searched for.


def spread(values: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Return ``(H, W, C)`` where each invisible pixel (`alpha` ``(H, W)`` is 0) has the colour of the nearest visible.

    What the file has there is no part of the picture, and a network would let it bleed over the edges. Pixels far from
    all visible ones stay as they are.
    """
    from scipy import ndimage

    made = values.copy()
    for context, inner, place in tiles(alpha.shape, _TILE, _REACH):
        hidden = alpha[context] == 0
        if hidden[inner].any() and not hidden.all():
            nearest = ndimage.distance_transform_edt(hidden, return_distances=False, return_indices=True)
            made[place] = values[context][tuple(nearest)][inner]
    return made


def without_alpha(raster: Raster) -> NDArray[Any]:
    """Return a picture blended with white, or with black if its opaque part is light."""
    if raster.alpha is None:
        return raster.values
    step = max(1, math.isqrt(raster.alpha.size // _SAMPLES))
    share = raster.alpha[::step, ::step, None].astype(np.float32) / raster.top
    is_light = (raster.values[::step, ::step] * share).mean() > 0.5 * raster.top * share.mean()
    raster.remarks.append(f"its transparent parts were blended with {'black' if is_light else 'white'}")
    background = 0 if is_light else raster.top
    blended = np.empty_like(raster.values)
    for at in range(0, len(blended), _STRIP):
        share = raster.alpha[at : at + _STRIP, :, None].astype(np.float32) / raster.top
        strip = raster.values[at : at + _STRIP] * share + background * (1 - share)
        blended[at : at + _STRIP] = strip.round() if raster.top > 1 else strip
    return blended


def scaled(values: NDArray[Any], height: int, width: int, remarks: list[str]) -> NDArray[Any]:
    """Return a picture scaled, keeping its proportions, to the largest size that fits."""
    old = values.shape[:2]
    factor = min(height / old[0], width / old[1])
    new = (max(1, round(old[0] * factor)), max(1, round(old[1] * factor)))
    if new == old:
        return values
    remarks.append(f"it was scaled from {old[1]}x{old[0]} to {new[1]}x{new[0]} pixels")
    return resize(values, *new)


def centred(values: NDArray[Any], height: int, width: int, remarks: list[str]) -> NDArray[Any]:
    """Return a picture cropped to its centre if it is larger, padded with its border's median colour if smaller."""
    top, left = max(0, (values.shape[0] - height) // 2), max(0, (values.shape[1] - width) // 2)
    if values.shape[0] > height or values.shape[1] > width:
        remarks.append(f"it was cropped to the {width}x{height} pixels at its centre")
    values = values[top : top + height, left : left + width]
    if values.shape[:2] == (height, width):
        return values
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    out = np.empty((height, width, values.shape[2]), values.dtype)
    out[:] = np.median(border, axis=0).astype(values.dtype)
    top, left = (height - values.shape[0]) // 2, (width - values.shape[1]) // 2
    out[top : top + values.shape[0], left : left + values.shape[1]] = values
    remarks.append("it was padded with the colour of its border")
    return out


def digit(values: NDArray[Any], top: int, height: int, width: int, remarks: list[str]) -> NDArray[Any]:
    """Return the digit in a picture as a window like those of MNIST; without a plain digit, the picture `scaled`."""
    factor = _SEARCHED / max(values.shape)
    small = values
    if factor < 1 and values.shape[:2] != (height, width):
        small = resize(values, *(max(1, round(side * factor)) for side in values.shape[:2]))
    luma = (grey(small) if small.shape[2] == 3 else small[..., 0].astype(np.float32)) / np.float32(top)
    if is_digit(luma, height, width):
        return values
    found = find_digit(luma, height, width)
    if found is None:
        remarks.append("no plain digit was found in it")
        return centred(scaled(values, height, width, remarks), height, width, remarks)
    window, is_dark = found
    how = "its dark digit was inverted and" if is_dark else "its digit was"
    whole = Line(" (--fit scale takes the whole picture)", "")
    remarks.append(line_of(f"{how} brought to the size and place of MNIST's", whole))
    return window[..., None]
