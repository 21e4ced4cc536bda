"""Drawings as PNG: piano rolls, pictures in rows and planes, spectrograms, codes as points, maps, curves."""

from musicae.plots.canvas import FIRST_COLOUR, LAST_COLOUR
from musicae.plots.chromagram import chromagram
from musicae.plots.curves import losses, scatter
from musicae.plots.named_points import named_points
from musicae.plots.piano_rolls import bar_lines, lanes, rolls, systems
from musicae.plots.pictures import mosaic, plane, rows
from musicae.plots.spectrograms import Overview, spectrogram, spectrograms
from musicae.plots.sung_line import sung_line

__all__ = [
    "FIRST_COLOUR",
    "LAST_COLOUR",
    "Overview",
    "bar_lines",
    "chromagram",
    "lanes",
    "losses",
    "mosaic",
    "named_points",
    "plane",
    "rolls",
    "rows",
    "scatter",
    "spectrogram",
    "spectrograms",
    "sung_line",
    "systems",
]
