"""Codes as points in a plane, and the curves of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.plots.canvas import FIRST_COLOUR, LAST_COLOUR, figure, save

__all__ = ["losses", "scatter"]

Curve = Sequence[tuple[float, float]]
"""Points ``(step, value)``, the steps rising."""


def scatter(
    points: Tensor,
    file: File,
    labels: Tensor | None = None,
    names: Sequence[str] = (),
    *,
    axes: tuple[str, str] = ("", ""),
    title: str = "",
) -> None:
    """Draw codes as points in a PNG, each class in its own colour, with its name at the median of its points.

    Parameters
    ----------
    points : ``(N, 2)``.
    file : the PNG file, written completely or not at all.
    labels : the points' classes ``(N,)``; without them all have one colour.
    names : names of the classes; without them, their numbers.
    axes, title : labels of the axes, and the title.

    Raises
    ------
    MusicaeError : nothing to draw, or a picture that cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.patheffects import withStroke

    if not len(points):
        raise MusicaeError("there is nothing to draw; give one point or more")
    drawing = figure(7.5, 7.0)
    ax = drawing.subplots()
    classes = [] if labels is None else sorted(set(labels.tolist()))
    size = min(14.0, max(2.0, 40_000 / len(points)))
    style: dict[str, Any] = {"s": size, "alpha": 0.55, "linewidths": 0}
    if labels is None or not classes:
        ax.scatter(*points.T.tolist(), color=FIRST_COLOUR, **style)
    else:
        palette = colormaps["tab10"] if len(classes) <= 10 else colormaps["hsv"].resampled(len(classes) + 1)
        # In the order of the data, so that no class covers all others.
        colours = [palette(classes.index(label)) for label in labels.tolist()]
        ax.scatter(*points.T.tolist(), color=colours, **style)
        for i, label in enumerate(classes):
            middle = points[labels == label].median(dim=0).values.tolist()
            name = names[label] if label < len(names) else str(label)
            text = ax.text(*middle, name, color=palette(i), fontsize=13, weight="bold", ha="center", va="center")
            text.set_path_effects([withStroke(linewidth=3, foreground="white")])
    ax.set_xlabel(axes[0], fontsize=9)
    ax.set_ylabel(axes[1], fontsize=9)
    ax.set_title(title, fontsize=10)
    ax.tick_params(labelsize=8)
    ax.set_aspect("equal", adjustable="datalim")
    save(drawing, file)


def losses(curves: Mapping[str, Curve], file: File, title: str = "") -> None:
    """Draw the curves of a training in a PNG, a panel for each, with training and held-out values.

    Parameters
    ----------
    curves : name -> points; ``validation_X`` goes into the panel of ``X``.
    file : the PNG file, written completely or not at all.
    title : above all panels.

    Raises
    ------
    MusicaeError : nothing to draw, or a picture that cannot be written.
    """
    panels = list(dict.fromkeys(name.removeprefix("validation_") for name, curve in curves.items() if curve))
    if not panels:
        raise MusicaeError("there is nothing to draw; give one point or more")
    across = min(3, len(panels))
    down = math.ceil(len(panels) / across)
    drawing = figure(4.2 * across, 0.4 + 2.9 * down)
    axes = drawing.subplots(down, across, squeeze=False).flatten().tolist()
    for ax, name in zip(axes, panels, strict=False):
        values: list[float] = []
        for key, colour, what in (
            (name, FIRST_COLOUR, "training"),
            (f"validation_{name}", LAST_COLOUR, "held out"),
        ):
            curve = [point for point in curves.get(key, ()) if math.isfinite(point[1])]
            if curve:
                ax.plot(*zip(*curve, strict=True), color=colour, linewidth=1.2, label=what)
                values += [value for _, value in curve]
        if values and min(values) > 0 and max(values) > 20 * min(values):
            ax.set_yscale("log")
        ax.set_title(name, fontsize=9, loc="left")
        ax.set_xlabel("step", fontsize=8)
        ax.tick_params(labelsize=7)
        ax.grid(color="0.9", linewidth=0.6)
        ax.legend(fontsize=7, frameon=False)
    for spare in axes[len(panels) :]:
        spare.set_axis_off()
    if title:
        drawing.suptitle(title, fontsize=10)
    save(drawing, file)
