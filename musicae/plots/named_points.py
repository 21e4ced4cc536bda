"""Points in a plane with their names, as many of them as have room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.plots.canvas import FIRST_COLOUR, figure, save

__all__ = ["named_points"]

_WIDTH, _HEIGHT = 11.0, 9.0  # Inches.
_LONGEST = 28  # Characters of a name.
_TRIED = 2000  # Names, at most: measuring one takes half a millisecond.
_MOST_GROUPS = 10  # That have colours of their own.
_POINT, _GAP = 3.0, 2.0  # Pixels: how far a point reaches, and between it and its name.
_MARGIN = 1.5  # Pixels around a name.
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))  # Where a name may stand.


def named_points(
    points: Tensor,
    names: Sequence[str],
    file: File,
    groups: Sequence[str] = (),
    *,
    axes: tuple[str, str] = ("", ""),
    title: str = "",
) -> int:
    """Draw points ``(N, 2)`` as a PNG, with their names where no other name or point is; return how many have one.

    Points that stand alone get their names first. `groups` names the group of each, by which it is coloured: with more
    than ten of them, the smaller ones share a colour. Raise MusicaeError where there is nothing to draw, or where the
    picture cannot be written.
    """
    if not len(points):
        raise MusicaeError("there is nothing to draw; give one point or more")
    drawing = figure(_WIDTH, _HEIGHT)
    ax = drawing.subplots()
    places = points.double().numpy()
    _draw(ax, places, groups)
    for label, text in zip((ax.set_xlabel, ax.set_ylabel), axes, strict=True):
        label(text, fontsize=9)
    if not any(axes):
        ax.set_xticks([])
        ax.set_yticks([])
    ax.tick_params(labelsize=8)
    ax.set_title(_plain(title, 120), fontsize=10, parse_math=False)
    ax.margins(0.08)
    ax.set_aspect("equal", adjustable="datalim")
    drawing.canvas.draw()  # Lays it out: from here on a place is a pixel.
    drawing.set_layout_engine("none")
    written = _write_names(ax, places, names)
    save(drawing, file)
    return written


def _draw(ax: Any, places: NDArray[np.float64], groups: Sequence[str]) -> None:
    from matplotlib import colormaps

    style = {"s": 16.0 if len(places) < 500 else 6.0, "alpha": 0.8, "linewidths": 0}
    sizes = {name: groups.count(name) for name in dict.fromkeys(groups)}
    if len(sizes) < 2:
        ax.scatter(*places.T, color=FIRST_COLOUR, **style)
        return
    largest = sorted(sorted(sizes, key=lambda name: -sizes[name])[:_MOST_GROUPS])
    palette = colormaps["tab10"]
    owner = np.array([largest.index(name) if name in largest else -1 for name in groups])
    for i, name in [*enumerate(largest), *([(-1, "others")] if -1 in owner else [])]:
        shown = _plain(name or "(not in a folder)", _LONGEST)
        ax.scatter(*places[owner == i].T, color="0.7" if i < 0 else palette(i), label=shown, **style)
    legend = ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _write_names(ax: Any, places: NDArray[np.float64], names: Sequence[str]) -> int:
    """Write names beside points where they have room, those of lonely points first; return how many."""
    pixels = ax.transData.transform(places)
    frame = ax.get_window_extent()
    taken = np.concatenate([pixels - _POINT, pixels + _POINT], axis=1)  # Boxes: left, bottom, right, top.
    renderer, written = ax.figure.canvas.get_renderer(), 0
    for i in _loneliest(pixels)[:_TRIED]:
        text = ax.text(0, 0, _plain(names[i], _LONGEST), fontsize=7, transform=None, parse_math=False)
        extent = text.get_window_extent(renderer)
        for box in _boxes(pixels[i], extent.width, extent.height):
            left, bottom, right, top = box
            inside = frame.x0 <= left and right <= frame.x1 and frame.y0 <= bottom and top <= frame.y1
            apart = (taken[:, 0] >= right) | (taken[:, 2] <= left) | (taken[:, 1] >= top) | (taken[:, 3] <= bottom)
            apart[i] = True  # Its own point: it stands beside that.
            if inside and apart.all():
                text.set_position((left - extent.x0 + _MARGIN, bottom - extent.y0 + _MARGIN))
                taken = np.vstack([taken, box])
                written += 1
                break
        else:
            text.remove()
    return written


def _loneliest(pixels: NDArray[np.float64]) -> list[int]:
    """Return the numbers of points ``(N, 2)``, those first whose next neighbour is farthest."""
    from scipy.spatial import KDTree

    if len(pixels) == 1:
        return [0]
    distances = KDTree(pixels).query(pixels, k=2)[0][:, 1]
    return [int(i) for i in np.argsort(-distances, kind="stable")]


def _boxes(at: NDArray[np.float64], width: float, height: float) -> NDArray[np.float64]:
    """Return the boxes around a point in which its name may stand, ``(sides, 4)``."""
    size = np.array([width, height]) + 2 * _MARGIN
    sides = np.array(_SIDES)
    middle = at + sides * (size / 2 + _POINT + _GAP)
    return np.concatenate([middle - size / 2, middle + size / 2], axis=1)


def _plain(text: str, longest: int) -> str:
    """Return a text that can be drawn: printable, with what the font lacks escaped, and its middle left out."""
    from matplotlib.font_manager import findfont, get_font

    glyphs = get_font(findfont("DejaVu Sans")).get_charmap()
    drawn = "".join(c if c.isprintable() and ord(c) in glyphs else f"\\u{ord(c):04x}" for c in text)
    half = longest // 2
    return drawn if len(drawn) <= longest else f"{drawn[:half]}…{drawn[len(drawn) - half + 1 :]}"
