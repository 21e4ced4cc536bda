"""What can be drawn, as PNG: piano rolls, pictures in rows and planes, codes as points, the curves of a training."""

from .canvas import FIRST_COLOUR, LAST_COLOUR
from .curves import losses, scatter
from .music import bar_lines, hits, notes, rolls
from .pictures import mosaic, plane, rows

__all__ = [
    "FIRST_COLOUR",
    "LAST_COLOUR",
    "bar_lines",
    "hits",
    "losses",
    "mosaic",
    "notes",
    "plane",
    "rolls",
    "rows",
    "scatter",
]
