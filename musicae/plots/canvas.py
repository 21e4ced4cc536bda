"""A figure to draw on, and its PNG. No pyplot: nothing global, no window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..whole import whole

__all__ = ["FIRST_COLOUR", "LAST_COLOUR", "figure", "save"]

FIRST_COLOUR, LAST_COLOUR = (0.10, 0.36, 0.66), (0.85, 0.37, 0.05)
"""Of the first and the last of what is drawn side by side: a blue and an orange, which all can tell apart."""

_LARGEST = 30_000  # Pixels along a side; the canvas ends at 65536.


def figure(width: float, height: float, dpi: float = 120.0) -> Any:
    """Return an empty figure of that size in inches; the dots an inch are fewer where it would get too large."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), dpi=min(dpi, _LARGEST / width, _LARGEST / height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def save(drawn: Any, path: Path) -> None:
    """Write a figure as PNG, whole or not at all. Raise MusicaeError where it cannot be written."""
    with whole(path) as temporary:
        drawn.savefig(temporary, format="png")
