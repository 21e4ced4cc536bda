"""Find a handwritten digit in a photo of it, and bring it to the form of the MNIST digits.

That form is given by LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition"
(1998), section III.A: light on dark, scaled to fit a box of 20 x 20 pixels with its proportions, in the middle of
28 x 28 pixels by the centre of mass.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["find_digit", "is_digit"]

Picture = NDArray[np.float32]

_BOX = 20 / 28  # Of the window's shorter side.
_MAX_RATIO = 20  # Of a picture's sides.
_MAX_SIDE = 320  # Of the picture that is searched, in pixels.
_SAMPLES = 8000  # Pixels that the paper is fitted to.
_ROUNDS = 12
_BIWEIGHT = 4.685  # Tukey's constant: 95 % efficient on a normal distribution.
_MAD = 1.4826  # A standard deviation in median absolute deviations.
_MIN_CONTRAST, _MIN_SIGNAL = 0.1, 4.0  # Of the strokes: in shares of white, and in standard deviations of the noise.
_STROKE = 0.4  # A pixel with this share of the strokes' darkness belongs to one.
_FAINT = 0.2  # One with less is paper.
_MIN_PART, _MAX_PARTS, _MAX_INK = 0.05, 5, 0.35
_WIDTH = 0.12  # Of MNIST's strokes, in sides of the box.
_CLEAN = 0.1  # The most that the border of a window with a digit has, in the median.


def is_digit(picture: Picture, height: int, width: int) -> bool:
    """Return whether a picture ``(H, W)`` is a window already: of its size, with a dark border."""
    return picture.shape == (height, width) and float(np.median(_border(picture))) < _CLEAN


def find_digit(picture: Picture, height: int, width: int) -> tuple[Picture, bool] | None:
    """Return the digit in a picture ``(H, W)`` of values 0 .. 1 as a window ``(height, width)``.

    Also return whether it was dark on light. None if there is no plain digit: nothing stands out, or too much.
    """
    if is_digit(1 - picture, height, width):
        return 1 - picture, True
    picture = _reduced(picture)
    if min(picture.shape) < 8 or max(picture.shape) > _MAX_RATIO * min(picture.shape):
        return None
    ink, is_dark = _ink(picture)
    found = _strokes(ink)
    if found is None:
        return None
    mask, darkness = found
    box = _box(mask)
    values = ((ink / darkness - _FAINT) / (1 - _FAINT)).clip(0, 1) * _grown(mask)
    # A fine pen in a large photo would be too faint to see at 20 pixels.
    missing = round((_WIDTH * max(mask[box].shape) - _stroke_width(mask[box])) / 2)
    if missing > 0:
        values = _thickened(values, missing)
        box = _box(values > _STROKE)
    return _placed(values[box], height, width), is_dark


def _border(picture: Picture) -> Picture:
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _reduced(picture: Picture) -> Picture:
    """Return the means of blocks of a large picture."""
    size = math.ceil(max(picture.shape) / _MAX_SIDE)
    high, wide = (max(1, side // size) for side in picture.shape)
    part = picture[: high * size, : wide * size]
    if size == 1 or min(picture.shape) < size:
        return picture
    means: Picture = part.reshape(high, size, wide, size).mean((1, 3))
    return means


def _ink(picture: Picture) -> tuple[Picture, bool]:
    """Return how much darker (or lighter, whichever stands out) than the paper each pixel is, and whether it is darker.

    The paper is a quadratic surface, fitted robustly: light falls on it unevenly.
    """
    high, wide = picture.shape
    y, x = np.meshgrid(np.linspace(-1, 1, high), np.linspace(-1, 1, wide), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    step = max(1, terms.shape[0] // _SAMPLES)
    some, values = terms[::step], picture.ravel()[::step].astype(np.float64)
    fit: NDArray[np.floating] = np.array([np.median(values), 0, 0, 0, 0, 0])
    for _ in range(_ROUNDS):
        rest = values - some @ fit
        scale = max(_MAD * float(np.median(np.abs(rest))), 1e-3)
        weights = (1 - (rest / (_BIWEIGHT * scale)).clip(-1, 1) ** 2) ** 2
        fit = np.linalg.lstsq(some * weights[:, None], values * weights, rcond=None)[0]
    paper = (terms @ fit).reshape(high, wide)
    rest = picture - paper
    is_dark = float((rest**3).sum()) < 0
    ink = -rest / paper.clip(0.05) if is_dark else rest  # Ink takes its share of whatever light there is.
    return ink.astype(np.float32), is_dark


def _strokes(ink: Picture) -> tuple[NDArray[np.bool_], float] | None:
    """Return where the strokes are and how dark; None where nothing stands out, or more than a digit."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(ink, max(ink.shape) / 250)
    noise = _MAD * float(np.median(np.abs(smooth - np.median(smooth))))
    peak = float(np.partition(smooth.ravel(), -max(4, smooth.size // 500))[-max(4, smooth.size // 500)])
    if peak < max(_MIN_CONTRAST, _MIN_SIGNAL * noise):
        return None
    darkness = float(np.median(smooth[smooth > peak / 2]))
    labels, count = ndimage.label(smooth > _STROKE * darkness, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    edges = np.unique(_border(labels))
    inside = [i for i in range(1, count + 1) if i not in edges] or list(range(1, count + 1))
    largest = max(sizes[i - 1] for i in inside)
    kept = [i for i in inside if sizes[i - 1] >= _MIN_PART * largest]
    mask: NDArray[np.bool_] = np.isin(labels, kept)
    if len(kept) > _MAX_PARTS or mask.mean() > _MAX_INK:
        return None
    return mask, darkness


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy import ndimage

    grown: NDArray[np.bool_] = ndimage.binary_dilation(mask, np.ones((3, 3)), iterations=2)
    return grown


def _stroke_width(mask: NDArray[np.bool_]) -> float:
    """Return the width of strokes in pixels: across one, the distance to its edge is a quarter of it in the mean."""
    from scipy import ndimage

    inner = ndimage.distance_transform_edt(np.pad(mask, 1))
    return 4 * float(inner[inner > 0].mean()) - 1


def _thickened(values: Picture, radius: int) -> Picture:
    from scipy import ndimage

    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    thick: Picture = ndimage.grey_dilation(np.pad(values, radius), footprint=x * x + y * y <= radius * radius)
    return thick


def _placed(digit: Picture, height: int, width: int) -> Picture:
    """Return a digit, scaled to the box, in a window, its centre of mass in the middle."""
    side = max(1, round(_BOX * min(height, width)))
    factor = side / max(digit.shape)
    size = tuple(max(1, round(length * factor)) for length in digit.shape)
    scaled = torch.nn.functional.interpolate(
        torch.from_numpy(np.ascontiguousarray(digit, np.float32))[None, None], size, mode="bilinear", antialias=True
    )[0, 0].numpy()
    mass = max(float(scaled.sum()), 1e-6)
    window = np.zeros((height, width), np.float32)
    places = []
    for axis, length in enumerate((height, width)):
        centre = float((scaled.sum(1 - axis) * np.arange(size[axis])).sum()) / mass
        places.append(min(max(round(length / 2 - centre), 0), length - size[axis]))
    window[places[0] : places[0] + size[0], places[1] : places[1] + size[1]] = scaled
    return window
