"""Piano rolls side by side, and the parts of a band one above the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from musicae.core import File, Roll
from musicae.errors import MusicaeError
from musicae.plots.canvas import FIRST_COLOUR, LAST_COLOUR, figure, save

__all__ = ["bar_lines", "chord_names", "lanes", "rolls", "systems"]

_BLACK_KEYS = (1, 3, 6, 8, 10)
_MAX_BEATS = 64  # In longer rolls the lines of beats would merge into grey.


def bar_lines(length: int, meters: Sequence[Sequence[int]], steps_per_beat: int = 4) -> tuple[list[float], list[float]]:
    """Return the steps at which bars begin, and those of the other beats.

    `meters` are ``(step, numerator, denominator)``, the first at step 0.
    """
    bars: list[float] = []
    beats: list[float] = []
    for (start, numerator, denominator), following in zip(meters, [*meters[1:], (length,)], strict=True):
        beat = steps_per_beat * 4 / denominator
        for i in range(math.ceil((min(following[0], length) - start) / beat)):
            (beats if i % numerator else bars).append(start + i * beat)
    return bars, beats


def rolls(parts: Sequence[Roll], file: File, titles: Sequence[str] = (), columns: int | None = None) -> None:
    """Draw piano rolls in one PNG: the onset of a note dark, the rest of it lighter.

    Parameters
    ----------
    parts : the rolls, of one kind: rows are pitches, or the lanes that the first one's `labels` name. Bar lines follow
        the first one's meters.
    file : the PNG file, written completely or not at all.
    titles : one for each part, above its roll.
    columns : rolls in a row; None for as many as fit.

    Raises
    ------
    MusicaeError : no parts, or a picture that cannot be written.
    """
    if not parts:
        raise MusicaeError("there is nothing to draw; give one roll or more")
    first = parts[0]
    rows = (0, len(first.labels)) if first.labels else _pitch_range(parts)
    length = max(part.length for part in parts)
    drawing, axes = _panels(len(parts), columns, length / (4 * first.steps_per_beat), rows, bool(first.labels))
    for i, (ax, part) in enumerate(zip(axes, parts, strict=True)):
        _rulings(ax, first, length, rows)
        _rectangles(ax, part, _colour(i, len(parts)))
        _row_labels(ax, rows, first.labels)
        if i < len(titles):
            ax.set_title(titles[i], fontsize=8, loc="left", pad=3)
    save(drawing, file)


def lanes(
    bands: Sequence[Sequence[Roll]],
    file: File,
    titles: Sequence[str] = (),
    columns: int | None = None,
    one_piece: bool = False,
) -> None:
    """Draw bands in one PNG, of each its parts one above the other; the darker an onset, the louder it is.

    The chords of a band's first roll stand above it.

    Parameters
    ----------
    bands : of each the rolls of its parts, named, the same parts in all. A part that is silent in all bands is
        left out. Bar lines follow the meters of each band's first roll.
    file : the PNG file, written completely or not at all.
    titles : one for each band, above it.
    columns : bands in a row; None for as many as fit.
    one_piece : the bands are pieces of one, see `systems`, and have one colour.

    Raises
    ------
    MusicaeError : no bands, or a picture that cannot be written.
    """
    if not bands or not bands[0]:
        raise MusicaeError("there is nothing to draw; give one roll or more")
    first = bands[0][0]
    parts = [part for part in zip(*bands, strict=True) if any(roll.notes for roll in part)] or [
        tuple(rolls[0] for rolls in bands)
    ]
    rows = [(0, len(part[0].labels)) if part[0].labels else _pitch_range(part) for part in parts]
    length = max(roll.length for rolls in bands for roll in rolls)
    chords = any(band[0].chords for band in bands)
    drawing, axes = _stacks(len(bands), columns, length / (4 * first.steps_per_beat), parts, rows, 0.15 * chords)
    for i, stack in enumerate(axes):
        for ax, part, own in zip(stack, parts, rows, strict=True):
            ruled = replace(part[i], meters=bands[i][0].meters)
            _rulings(ax, ruled, length, own, part[i].length)
            _rectangles(ax, part[i], _colour(0 if one_piece else i, len(bands)))
            _row_labels(ax, own, part[i].labels)
            ax.tick_params(labelbottom=ax is stack[-1])
        chord_names(stack[0], bands[i][0].chords, length)
        if i < len(titles):
            stack[0].set_title(titles[i], fontsize=8, loc="left", pad=14 if chords else 3)
    save(drawing, file)


def systems(rolls: Sequence[Roll], bars: int) -> list[list[Roll]]:
    """Return the rolls of a band's parts cut into pieces of so many bars, for `lanes` to draw one below the other."""
    first = rolls[0]
    lines, _ = bar_lines(first.length, first.meters, first.steps_per_beat)
    starts = [round(at) for at in lines[::bars]] or [0]
    ends = [*starts[1:], first.length]
    return [
        [_cut(roll, a, b, first.first + i * bars) for roll in rolls]
        for i, (a, b) in enumerate(zip(starts, ends, strict=True))
    ]


def _cut(roll: Roll, start: int, end: int, first: int) -> Roll:
    """Return what begins in a piece of a roll, its end cut off; of meters and chords that which holds at its start."""
    inside = [i for i, (at, _, _) in enumerate(roll.notes) if start <= at < end]
    notes = [(at - start, min(length, end - at), row) for at, length, row in (roll.notes[i] for i in inside)]
    meters = [entry for entry in roll.meters if entry[0] <= start][-1:] + [
        entry for entry in roll.meters if start < entry[0] < end
    ]
    symbols = [one for one in roll.chords if one[0] <= start][-1:] + [
        one for one in roll.chords if start < one[0] < end
    ]
    return replace(
        roll,
        notes=notes,
        length=end - start,
        meters=[(max(0, at - start), n, d) for at, n, d in meters],
        loudness=[roll.loudness[i] for i in inside] if roll.loudness else (),
        chords=[(max(0, at - start), text) for at, text in symbols],
        first=first,
    )


def chord_names(ax: Any, chords: Sequence[tuple[float, str]], length: float) -> None:
    """Write the names of chords above axes, each at its place; one that would cover the one before is lower."""
    inches = ax.get_position().width * ax.figure.get_figwidth() / max(length, 1)
    free = -1.0
    for at, text in chords:
        if at >= length:
            break
        lower = at * inches < free
        ax.annotate(
            text, (at, 1), xycoords=("data", "axes fraction"), xytext=(1, -7 if lower else 2),
            textcoords="offset points", fontsize=6.5, annotation_clip=False, zorder=5,
        )  # fmt: skip
        free = -1.0 if lower else at * inches + 0.06 * len(text) + 0.02


def _colour(i: int, count: int) -> list[float]:
    """Return the colour of one of several rolls in a row."""
    share = i / max(1, count - 1)
    return [(1 - share) * a + share * b for a, b in zip(FIRST_COLOUR, LAST_COLOUR, strict=True)]


def _pitch_range(parts: Sequence[Roll]) -> tuple[int, int]:
    """Return the lowest row and the one after the highest, with a margin, and an octave at least."""
    pitches = [pitch for part in parts for _, _, pitch in part.notes] or [60]
    low, high = min(pitches) - 1, max(pitches) + 2
    missing = max(0, 13 - (high - low))
    return low - missing // 2, high + missing - missing // 2


def _panels(count: int, columns: int | None, bars: float, rows: tuple[int, int], lanes: bool) -> tuple[Any, list[Any]]:
    """Return a figure and its axes, sized by what they show."""
    width = min(max(1.7 * bars, 2.4), 30.0)
    height = min(max((0.15 if lanes else 0.07) * (rows[1] - rows[0]), 1.0), 3.5)
    across = columns or min(count, max(1, int(16 / width)))
    # Fill the last row if the number allows it: 9 as 3 x 3, not as 4 + 4 + 1.
    if columns is None:
        across = next((n for n in range(across, max(1, across // 2), -1) if count % n == 0), across)
    down = math.ceil(count / across)
    drawing = figure(across * (width + 0.25) + 0.5, down * (height + 0.32) + 0.2)
    axes = drawing.subplots(down, across, squeeze=False, sharex=True, sharey=True).flatten().tolist()
    for spare in axes[count:]:
        spare.set_axis_off()
    return drawing, axes[:count]


def _stacks(
    count: int,
    columns: int | None,
    bars: float,
    parts: Sequence[Sequence[Roll]],
    rows: Sequence[tuple[int, int]],
    more: float,
) -> tuple[Any, list[list[Any]]]:
    """Return a figure, and for each band its axes from the top; all sizes are in inches, `more` is above each."""
    width = min(max(1.7 * bars, 2.4), 20.0)
    heights = [
        0.12 * len(part[0].labels) if part[0].labels else min(max(0.055 * (high - low), 0.8), 2.2)
        for part, (low, high) in zip(parts, rows, strict=True)
    ]
    gap, above, below, between = 0.25, 0.3 + more, 0.2, 0.07
    left = 1.15 if any(part[0].labels for part in parts) else 0.6
    # Rows of one length if possible: 5 as 3 + 2, not as 4 + 1.
    across = columns or math.ceil(count / math.ceil(count / max(1, int(16 / width))))
    stack = sum(heights) + between * (len(parts) - 1)
    total = (left + across * (width + gap), math.ceil(count / across) * (above + stack + below))
    drawing = figure(*total)
    drawing.set_layout_engine("none")
    axes: list[list[Any]] = []
    for i in range(count):
        x, top = left + i % across * (width + gap), total[1] - i // across * (above + stack + below) - above
        axes.append([])
        for part, height in zip(parts, heights, strict=True):
            top -= height
            ax = drawing.add_axes((x / total[0], top / total[1], width / total[0], height / total[1]))
            if i % across:
                ax.tick_params(labelleft=False)
            else:
                place = (0.12 / total[0], (top + height / 2) / total[1])
                drawing.text(*place, part[0].name, rotation=90, fontsize=8, va="center", ha="center")
            axes[-1].append(ax)
            top -= between
    return drawing, axes


def _rulings(ax: Any, roll: Roll, length: int, rows: tuple[int, int], ruled: int | None = None) -> None:
    bars, beats = bar_lines(ruled or length, roll.meters, roll.steps_per_beat)
    shaded = [row for row in range(*rows) if (row % 2 if roll.labels else row % 12 in _BLACK_KEYS)]
    for row in shaded:
        ax.axhspan(row - 0.5, row + 0.5, color="0.955", linewidth=0, zorder=0)
    ends = {"ymin": rows[0] - 0.5, "ymax": rows[1] - 0.5, "zorder": 1}
    if length <= _MAX_BEATS * roll.steps_per_beat:
        ax.vlines(beats, color="0.87", linewidth=0.5, **ends)
    ax.vlines(bars, color="0.6", linewidth=0.8, **ends)
    ax.set_xlim(0, length)
    ax.set_ylim(rows[0] - 0.5, rows[1] - 0.5)
    every = math.ceil(len(bars) / 16)
    ax.set_xticks(bars[::every], [str(roll.first + i) for i in range(0, len(bars), every)])
    ax.tick_params(length=0, labelsize=6, pad=2, colors="0.35")
    for spine in ax.spines.values():
        spine.set(color="0.6", linewidth=0.8)


def _rectangles(ax: Any, roll: Roll, colour: Sequence[float]) -> None:
    from matplotlib.collections import PolyCollection

    light = [1 - 0.55 * (1 - part) for part in colour]
    # Soft onsets are nearer to the light of what is held.
    shades = [
        [0.65 * (1 - loud) * a + (0.35 + 0.65 * loud) * b for a, b in zip(light, colour, strict=True)]
        for loud in roll.loudness
    ] or [list(colour)]
    for held, fill in ((True, [light]), (False, shades)):
        boxes = []
        for start, length, row in roll.notes:
            left, right = start + 0.06, start + (length - 0.12 if held else 0.88)
            boxes.append([(left, row - 0.42), (right, row - 0.42), (right, row + 0.42), (left, row + 0.42)])
        ax.add_collection(PolyCollection(boxes, facecolors=fill, linewidths=0, zorder=2))


def _row_labels(ax: Any, rows: tuple[int, int], labels: Sequence[str]) -> None:
    if labels:
        ax.set_yticks(range(*rows), labels)
    else:
        octaves = [row for row in range(*rows) if row % 12 == 0]
        ax.set_yticks(octaves, [f"C{row // 12 - 1}" for row in octaves])
