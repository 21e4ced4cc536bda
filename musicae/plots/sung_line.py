"""The notes of a recording over the pitch that was sung."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.plots.canvas import FIRST_COLOUR, LAST_COLOUR, figure, save

__all__ = ["sung_line"]

_ROW, _MAX_ROWS = 15.0, 24  # Seconds in a row, and rows: those of a longer recording hold more.


def sung_line(
    notes: Sequence[tuple[float, float, float]],
    curve: NDArray[np.float32],
    seconds: float,
    beats: Sequence[float],
    file: File,
    title: str,
) -> None:
    """Draw notes as bars, the pitch that was followed as a line over them, and the beats, as PNG.

    Parameters
    ----------
    notes : when each begins and ends, in seconds, and its pitch.
    curve : the pitch at times spaced evenly over the recording, ``(N,)``, NaN where there is none.
    seconds : how long the recording is.
    beats : when beats come, in seconds.
    file : the PNG file, written completely or not at all.

    Raises
    ------
    MusicaeError : a picture that cannot be written.
    """
    span = max(_ROW, seconds / _MAX_ROWS)
    count = max(1, math.ceil(seconds / span))
    pitches = [pitch for *_, pitch in notes]
    low, high = min(pitches, default=60) - 1.5, max(pitches, default=60) + 1.5
    drawing = figure(9.0, count * (0.5 + 0.055 * (high - low)) + 0.3)
    at = np.arange(len(curve)) * seconds / max(len(curve), 1)
    for i, ax in enumerate(drawing.subplots(count, 1, squeeze=False)[:, 0]):
        start, end = i * span, (i + 1) * span
        ax.vlines([beat for beat in beats if start <= beat < end], low, high, color="0.88", linewidth=0.6, zorder=0)
        for a, b, pitch in notes:
            if a < end and b > start:
                ax.barh(pitch, b - a, left=a, height=0.8, color=FIRST_COLOUR, alpha=0.45, linewidth=0)
                ax.vlines(a, pitch - 0.4, pitch + 0.4, color=FIRST_COLOUR, linewidth=1.2)
        ax.plot(at, curve, color=LAST_COLOUR, linewidth=0.9)
        ax.set(xlim=(start, end), ylim=(low, high))
        rows = range(math.ceil(low), math.floor(high) + 1)
        ax.set_yticks([row for row in rows if row % 12 == 0], [f"C{row // 12 - 1}" for row in rows if row % 12 == 0])
        ax.tick_params(length=0, labelsize=6, pad=2, colors="0.35")
        for spine in ax.spines.values():
            spine.set(color="0.6", linewidth=0.8)
        if not i:
            ax.set_title(title, fontsize=8, loc="left", pad=3)
    save(drawing, file)
