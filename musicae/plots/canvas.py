"""A figure to draw on, and its PNG. No pyplot: nothing global, no window."""

from __future__ import annotations

from typing import Any

from musicae.core import File
from musicae.formats.files import output

__all__ = ["FIRST_COLOUR", "LAST_COLOUR", "figure", "save"]

FIRST_COLOUR, LAST_COLOUR = (0.10, 0.36, 0.66), (0.85, 0.37, 0.05)
"""Of the first and the last of what is drawn side by side: blue and orange, which the colour-blind can tell apart."""

_MAX_PIXELS = 30_000  # Along a side; the canvas cannot hold more than 65536.


def figure(width: float, height: float, dpi: float = 120.0) -> Any:
    """Return an empty figure of that size in inches; fewer dots an inch where it would get too large."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(
        figsize=(width, height), dpi=min(dpi, _MAX_PIXELS / width, _MAX_PIXELS / height), layout="constrained"
    )
    FigureCanvasAgg(drawing)
    return drawing


def save(drawing: Any, file: File) -> None:
    """Write a figure as PNG to a path or a stream, all or nothing. Raise MusicaeError where it cannot be written."""
    with output(file) as opened:
        drawing.savefig(opened, format="png")
