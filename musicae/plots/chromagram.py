"""What sounds in a recording, beat by beat, and the names of its chords."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.plots.canvas import figure, save
from musicae.plots.piano_rolls import chord_names

__all__ = ["chromagram"]

_NAMES = ("C", "", "D", "", "E", "F", "", "G", "", "A", "", "B")
_BARS = 8  # In a row.


def chromagram(
    chroma: NDArray[np.float64], chords: Sequence[tuple[int, str]], bars: Sequence[int], file: File, title: str
) -> None:
    """Draw how much each pitch class sounds in each beat, in rows of eight bars, as PNG.

    Parameters
    ----------
    chroma : ``(12, N)``, from C up.
    chords : names of chords, each with the beat where it begins.
    bars : the beats with which bars begin.
    file : the PNG file, written completely or not at all.

    Raises
    ------
    MusicaeError : a picture that cannot be written.
    """
    starts = list(bars[::_BARS])
    ends = [*starts[1:], chroma.shape[1]]
    width = max(b - a for a, b in zip(starts, ends, strict=True))
    drawing = figure(max(4.0, 0.28 * width), 1.75 * len(starts) + 0.3)
    axes = drawing.subplots(len(starts), 1, squeeze=False)[:, 0]
    shades = chroma / np.maximum(np.quantile(chroma, 0.98), 1e-9)
    for i, (ax, a, b) in enumerate(zip(axes, starts, ends, strict=True)):
        ax.imshow(shades[:, a:b], origin="lower", aspect="auto", cmap="Blues", vmin=0, vmax=1,
                  extent=(0, b - a, -0.5, 11.5), interpolation="nearest")  # fmt: skip
        lines = [bar - a for bar in bars if a <= bar < b]
        ax.vlines(lines, -0.5, 11.5, color="0.6", linewidth=0.8)
        ax.set_xlim(0, width)
        ax.set_yticks(range(12), _NAMES)
        ax.set_xticks(lines, [str(1 + i * _BARS + k) for k in range(len(lines))])
        ax.tick_params(length=0, labelsize=6, pad=2, colors="0.35")
        for spine in ax.spines.values():
            spine.set(color="0.6", linewidth=0.8)
        before = [(0, text) for at, text in chords if at <= a][-1:]
        chord_names(ax, [*before, *((at - a, text) for at, text in chords if a < at < b)], width)
    axes[0].set_title(title, fontsize=8, loc="left", pad=14)
    save(drawing, file)
