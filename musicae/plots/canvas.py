"""A figure to draw on, and its PNG; without pyplot, which has global state and opens windows."""

from __future__ import annotations

from typing import Any

from musicae.core import File
from musicae.formats.files import output

__all__ = ["FIRST_COLOUR", "LAST_COLOUR", "figure", "save"]

FIRST_COLOUR, LAST_COLOUR = (0.10, 0.36, 0.66), (0.85, 0.37, 0.05)
"""Colours of the first and the last in a row: blue and orange, which colour-blind readers can tell apart."""

_MAX_PIXELS = 30_000  # Along a side; the canvas cannot hold more than 65536.


def figure(width: float, height: float, dpi: float = 120.0) -> Any:
    """Return an empty figure of `width` by `height` inches; `dpi` is reduced if it would get too large."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(
        figsize=(width, height), dpi=min(dpi, _MAX_PIXELS / width, _MAX_PIXELS / height), layout="constrained"
    )
    FigureCanvasAgg(drawing)
    return drawing


def save(drawing: Any, file: File) -> None:
    """Write a figure as PNG to a path or a stream, completely or not at all. Raise MusicaeError if that fails."""
    with output(file) as opened:
        drawing.savefig(opened, format="png")
