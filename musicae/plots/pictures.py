"""Drawings of pictures: in rows, and as the plane of a two-dimensional code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.plots.canvas import figure, save

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["mosaic", "plane", "rows"]


def mosaic(tiles: Tensor) -> Tensor:
    """Join tiles ``(R, K, C, H, W)`` of values 0 to 1 without gaps: ``(R * H, K * W, 3)``, grey as RGB."""
    down, across, channels, height, width = tiles.shape
    if channels not in (1, 3):
        raise MusicaeError(f"a picture must have 1 or 3 channels to be drawn, not {channels}")
    flat = tiles.permute(0, 3, 1, 4, 2).reshape(down * height, across * width, channels)
    return flat.clamp(0, 1).expand(-1, -1, 3)


def rows(lines: Mapping[str, Tensor], file: File, titles: Sequence[str] = ()) -> None:
    """Draw one row of pictures for each of `lines`, its name on the left, as PNG.

    Parameters
    ----------
    lines : name -> pictures ``(N, C, H, W)`` of values 0 to 1, the same number in each line.
    file : the PNG file, written atomically.
    titles : one for each column, above the first row.

    Raises
    ------
    MusicaeError : nothing to draw, or a picture that cannot be written.
    """
    if not lines or not min(len(line) for line in lines.values()):
        raise MusicaeError("there is nothing to draw; give one picture or more")
    count = len(next(iter(lines.values())))
    drawing = figure(0.5 + 1.05 * count, 0.3 + 1.1 * len(lines))
    axes = drawing.subplots(len(lines), count, squeeze=False)
    for (name, line), row in zip(lines.items(), axes, strict=True):
        for i, (ax, tile) in enumerate(zip(row, line, strict=True)):
            ax.imshow(_pixels(mosaic(tile[None, None])), interpolation="nearest")
            _remove_ticks(ax)
            if i == 0:
                ax.set_ylabel(name, fontsize=8)
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title, fontsize=8, pad=3)
    save(drawing, file)


def plane(tiles: Tensor, values: Sequence[float], file: File, title: str = "") -> None:
    """Draw the outputs of a decoder over the plane of its two-dimensional code, as PNG.

    Parameters
    ----------
    tiles : ``(R, R, C, H, W)``, the first axis along the second number of the code, the second along the first.
    values : the ``R`` numbers at which they were decoded, rising; the first is at the left and at the bottom.
    file : the PNG file, written atomically.
    title : above it.

    Raises
    ------
    MusicaeError : a picture that cannot be written.
    """
    drawing = figure(8.0, 8.0)
    ax = drawing.subplots()
    joined = mosaic(tiles.flip(0))  # The first row of a picture is its top.
    ax.imshow(_pixels(joined), interpolation="nearest")
    size, count = joined.shape[0], len(values)
    at = [round(i * (count - 1) / 4) for i in range(5)] if count > 4 else list(range(count))
    positions = [(i + 0.5) * size / count - 0.5 for i in at]
    ax.set_xticks([position * joined.shape[1] / size for position in positions], [f"{values[i]:.2f}" for i in at])
    ax.set_yticks([size - 1 - position for position in positions], [f"{values[i]:.2f}" for i in at])
    ax.tick_params(labelsize=8)
    ax.set_xlabel("first number of the code", fontsize=9)
    ax.set_ylabel("second number of the code", fontsize=9)
    ax.set_title(title, fontsize=10)
    save(drawing, file)


def _pixels(values: Tensor) -> NDArray[np.uint8]:
    return (values * 255).round().to(torch.uint8).numpy()


def _remove_ticks(ax: Any) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(color="0.6", linewidth=0.5)
