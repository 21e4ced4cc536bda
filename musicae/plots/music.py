"""The piano rolls of many windows side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import MusicaeError
from .canvas import FIRST_COLOUR, LAST_COLOUR, figure, save

__all__ = ["bar_lines", "hits", "notes", "rolls"]

Bars = list[tuple[int, int, int]]
"""Rectangles one row high: ``(start, length, row)``, the first two in steps."""

_BLACK_KEYS = (1, 3, 6, 8, 10)


def notes(roll: Tensor, low: int = 21) -> Bars:
    """Return the notes of a melody ``(C, T)``: channel 0 a rest, 1 a hold, then onsets from pitch `low` up.

    A hold with no note before it is a rest.
    """
    found: Bars = []
    sounding = False
    for step, token in enumerate(roll.argmax(0).tolist()):
        if token >= 2:
            found.append((step, 1, token - 2 + low))
        elif token == 1 and sounding:
            start, length, pitch = found[-1]
            found[-1] = (start, length + 1, pitch)
        sounding = token >= 2 or (token == 1 and sounding)
    return found


def hits(roll: Tensor) -> Bars:
    """Return the hits of drums ``(C, T)``: the values over one half, row 0 the first channel."""
    return [(int(step), 1, int(row)) for row, step in torch.nonzero(roll > 0.5).tolist()]


def bar_lines(length: int, meters: Sequence[Sequence[int]], steps_per_beat: int = 4) -> tuple[list[float], list[float]]:
    """Return where bars and where the other beats begin, in steps.

    `meters` are ``(step, numerator, denominator)`` from step 0 on.
    """
    bars: list[float] = []
    beats: list[float] = []
    for (start, numerator, denominator), following in zip(meters, [*meters[1:], (length,)], strict=True):
        beat = steps_per_beat * 4 / denominator
        for i in range(math.ceil((min(following[0], length) - start) / beat)):
            (beats if i % numerator else bars).append(start + i * beat)
    return bars, beats


def rolls(
    parts: Sequence[Tensor], path: Path, titles: Sequence[str] = (), kind: str = "melody", *,
    columns: int | None = None, low: int = 21, labels: Sequence[str] = (),
    meters: Sequence[Sequence[int]] = ((0, 4, 4),), steps_per_beat: int = 4,
) -> None:  # fmt: skip
    """Draw the piano rolls of `parts`, each ``(C, T)``, in one PNG: an onset dark, what it holds lighter.

    Parameters
    ----------
    parts : melodies one-hot over ``C`` or drums 0 and 1, as `kind` says (``"melody"``, ``"drums"``).
    path : the picture, written whole or not at all.
    titles : one for each part, over its roll.
    columns : rolls side by side; as many as fit if it is None.
    low : the pitch of a melody's first onset channel.
    labels : names of the drums' rows.
    meters, steps_per_beat : where bar lines are drawn, see `bar_lines`.

    Raises
    ------
    MusicaeError : an unknown `kind`, no parts, or a picture that cannot be written.
    """
    if kind not in ("melody", "drums"):
        raise MusicaeError(f"there is no picture of '{kind}', only of melody and drums")
    if not parts:
        raise MusicaeError("there is nothing to draw")
    drawn = [notes(part, low) if kind == "melody" else hits(part) for part in parts]
    rows = _pitch_range(drawn) if kind == "melody" else (0, parts[0].shape[0])
    length = max(part.shape[-1] for part in parts)
    drawing, axes = _panels(len(parts), columns, length / (4 * steps_per_beat), rows[1] - rows[0], kind)
    for i, (ax, bars) in enumerate(zip(axes, drawn, strict=True)):
        share = i / max(1, len(parts) - 1)
        colour = [(1 - share) * a + share * b for a, b in zip(FIRST_COLOUR, LAST_COLOUR, strict=True)]
        _rulings(ax, length, rows, kind, meters, steps_per_beat)
        _rectangles(ax, bars, colour)
        _row_labels(ax, rows, kind, labels)
        if i < len(titles):
            ax.set_title(titles[i], fontsize=8, loc="left", pad=3)
    save(drawing, path)


def _pitch_range(drawn: Sequence[Bars]) -> tuple[int, int]:
    """Return the lowest row and the one after the highest, with some air, at least an octave."""
    pitches = [pitch for bars in drawn for _, _, pitch in bars] or [60]
    low, high = min(pitches) - 1, max(pitches) + 2
    missing = max(0, 13 - (high - low))
    return low - missing // 2, high + missing - missing // 2


def _panels(count: int, columns: int | None, bars: float, rows: int, kind: str) -> tuple[Any, list[Any]]:
    """Return a figure and its axes, as large as what they show."""
    width = min(max(1.7 * bars, 2.4), 30.0)
    height = min(max((0.15 if kind == "drums" else 0.07) * rows, 1.0), 3.5)
    across = columns or min(count, max(1, int(16 / width)))
    # A last row as full as the others, where the number allows: 9 as 3 x 3, not as 4 + 4 + 1.
    if columns is None:
        across = next((n for n in range(across, max(1, across // 2), -1) if count % n == 0), across)
    down = math.ceil(count / across)
    drawing = figure(across * (width + 0.25) + 0.5, down * (height + 0.32) + 0.2)
    axes = drawing.subplots(down, across, squeeze=False, sharex=True, sharey=True).flatten().tolist()
    for spare in axes[count:]:
        spare.set_axis_off()
    return drawing, axes[:count]


def _rulings(
    ax: Any, length: int, rows: tuple[int, int], kind: str, meters: Sequence[Sequence[int]], steps_per_beat: int
) -> None:
    bars, beats = bar_lines(length, meters, steps_per_beat)
    shaded = [row for row in range(*rows) if (row % 12 in _BLACK_KEYS if kind == "melody" else row % 2)]
    for row in shaded:
        ax.axhspan(row - 0.5, row + 0.5, color="0.955", linewidth=0, zorder=0)
    ends = {"ymin": rows[0] - 0.5, "ymax": rows[1] - 0.5, "zorder": 1}
    if length <= 64 * steps_per_beat:
        ax.vlines(beats, color="0.87", linewidth=0.5, **ends)
    ax.vlines(bars, color="0.6", linewidth=0.8, **ends)
    ax.set_xlim(0, length)
    ax.set_ylim(rows[0] - 0.5, rows[1] - 0.5)
    every = math.ceil(len(bars) / 16)
    ax.set_xticks(bars[::every], [str(1 + i) for i in range(0, len(bars), every)])
    ax.tick_params(length=0, labelsize=6, pad=2, colors="0.35")
    for spine in ax.spines.values():
        spine.set(color="0.6", linewidth=0.8)


def _rectangles(ax: Any, bars: Bars, colour: Sequence[float]) -> None:
    from matplotlib.collections import PolyCollection

    light = [1 - 0.55 * (1 - part) for part in colour]
    for long, fill in ((True, light), (False, colour)):
        boxes = []
        for start, length, row in bars:
            left, right = start + 0.06, start + (length - 0.12 if long else 0.88)
            boxes.append([(left, row - 0.42), (right, row - 0.42), (right, row + 0.42), (left, row + 0.42)])
        ax.add_collection(PolyCollection(boxes, facecolors=[fill], linewidths=0, zorder=2))


def _row_labels(ax: Any, rows: tuple[int, int], kind: str, labels: Sequence[str]) -> None:
    if kind == "drums":
        names = [labels[row] if row < len(labels) else str(row + 1) for row in range(*rows)]
        ax.set_yticks(range(*rows), names)
    else:
        octaves = [row for row in range(*rows) if row % 12 == 0]
        ax.set_yticks(octaves, [f"C{row // 12 - 1}" for row in octaves])
