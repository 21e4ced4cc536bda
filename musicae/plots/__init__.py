"""What can be drawn, as PNG: piano rolls, pictures in rows and planes, spectrograms, codes as points, curves."""

from .canvas import FIRST_COLOUR, LAST_COLOUR
from .curves import losses, scatter
from .music import bar_lines, hits, notes, rolls
from .pictures import mosaic, plane, rows
from .spectra import Overview, spectrograms

__all__ = [
    "FIRST_COLOUR",
    "LAST_COLOUR",
    "Overview",
    "bar_lines",
    "hits",
    "losses",
    "mosaic",
    "notes",
    "plane",
    "rolls",
    "rows",
    "scatter",
    "spectrograms",
]
