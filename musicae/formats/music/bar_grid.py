"""Steps and bars: how the ticks of a score become the steps of a tensor, with the tempo, meter and key at each.

Steps count from the start of the excerpt that is read.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musicae.errors import Line, MusicaeError, line_of
from musicae.formats.music import beats
from musicae.formats.music.swing import (
    MAX_SWING,
    MIN_SWING,
    STEPS_PER_BEAT,
    is_straight,
    ratio_of,
    straightened,
)

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = [
    "END",
    "MAX_STEPS",
    "START",
    "Excerpt",
    "Grid",
    "Meters",
    "build_grid",
    "complete",
    "mark_swing",
    "parse_bars",
    "place",
    "with_swing",
    "without_repeats",
]

Ints = NDArray[np.int64]
Span = tuple[Ints, Ints]

START, END = "musicae start", "musicae end"
"""Markers that `write` sets if the notes alone do not show where the excerpt starts or ends."""

_SWING = re.compile(r"musicae swing (\d\.\d{1,9})")  # A marker, at the tick from where it holds.

MAX_STEPS = 1_000_000
_MIN_QPM, _MAX_QPM = 3.5, 3000.0  # What MIDI can say at the least, and more than anyone means.


class Meters:
    """The bars of a piece through its time signatures ``(tick, numerator, denominator)``, numbered from 0.

    A first bar that the next time signature cuts short, or a single one of fewer beats, is a pick-up: it starts earlier
    (at a negative tick) to be complete, so that its notes keep their place before the bar line. There is none where
    `pickup` is false.
    """

    def __init__(self, signatures: Sequence[tuple[int, int, int]], ticks_per_quarter: int, pickup: bool = True) -> None:
        self.ticks_per_quarter = ticks_per_quarter
        events = list(signatures)
        if not events or events[0][0] > 0:
            events.insert(0, (0, 4, 4))
        self.signatures = [(n, d) for _, n, d in events]
        self.starts = [float(tick) for tick, _, _ in events]
        self.lengths = [ticks_per_quarter * 4 * n / d for n, d in self.signatures]
        if pickup and len(events) > 1 and self._starts_with_pickup():
            if self.starts[1] < self.lengths[1]:
                self.signatures[0], self.lengths[0] = self.signatures[1], self.lengths[1]
            self.starts[0] = self.starts[1] - self.lengths[0]
        self.numbers = [0]
        for start, end, length in zip(self.starts, self.starts[1:], self.lengths, strict=False):
            self.numbers.append(self.numbers[-1] + math.ceil((end - start) / length - 1e-6))

    def _starts_with_pickup(self) -> bool:
        """Tell whether the first bar is cut short, or is a single bar in its own meter with the same beat unit."""
        same_values = self.signatures[0][1] == self.signatures[1][1]
        return self.starts[1] < self.lengths[0] or (self.starts[1] == self.lengths[0] and same_values)

    def bar(self, tick: float) -> int:
        """Return the number of the bar that holds `tick`; bars before the first have negative numbers."""
        k = max(0, bisect_right(self.starts, tick) - 1)
        number = self.numbers[k] + int((tick - self.starts[k]) // self.lengths[k])
        return min(number, self.numbers[k + 1] - 1) if k + 1 < len(self.numbers) else number

    def tick(self, bar: int) -> float:
        """Return the tick where bar number `bar` starts."""
        k = max(0, bisect_right(self.numbers, bar) - 1)
        return self.starts[k] + (bar - self.numbers[k]) * self.lengths[k]


@dataclass(frozen=True)
class Excerpt:
    """The bars that are read: `length` steps of `step` ticks from tick `start`, and their meters.

    `unmoved` is where they start by the file's bar lines; `swing` is a map as in `musicae.formats.music.swing`.
    `bar` is the number, from 1, that the first has in the file.
    """

    start: float
    step: float
    length: int
    meters: list[list[int]]
    remarks: list[str]
    unmoved: float
    swing: list[list[float]]
    steps_per_beat: int
    bar: int

    def places(self, ticks: NDArray[Any]) -> NDArray[np.floating[Any]]:
        """Return where ticks lie on the grid of steps, each a fraction of a step; swung beats are made straight."""
        even: NDArray[np.floating[Any]] = (ticks - self.start) / self.step
        return even if is_straight(self.swing) else straightened(even, self.swing, self.steps_per_beat)

    def steps(self, ticks: NDArray[Any]) -> NDArray[np.int64]:
        """Return the nearest step of each tick (halves go up); it may lie outside the excerpt."""
        steps: NDArray[np.int64] = np.floor(self.places(ticks) + 0.5).astype(np.int64)
        return steps


@dataclass(frozen=True)
class Grid(Excerpt):
    """An excerpt with its tempos and keys, and the distance `hop` from one window to the next."""

    hop: int
    tempos: list[list[float]]
    keys: list[list[int]]


def parse_bars(bars: str | int) -> tuple[int, int]:
    """Return the first and the last bar (from 1) of ``"5-8"`` or ``"3"``. Raise MusicaeError for anything else."""
    match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", str(bars))
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last:
        raise MusicaeError(f"bars '{bars}' is not a range of bars; write 5-8 or 3, counting from 1")
    return first, last


def _meters(score: ScoreTick, step: float, remarks: list[str]) -> Meters:
    """Return the bars of a score, without impossible time signatures; those that `write` has marked are as they say."""
    tpq, marked = score.ticks_per_quarter, _is_marked(score)
    possible: dict[int, tuple[int, int, int]] = {}
    impossible = 0
    for event in score.time_signatures:
        n, d = event.numerator, event.denominator
        if 1 <= n <= 64 and d in {1, 2, 4, 8, 16, 32, 64} and tpq * 4 * n / d >= step:
            possible[event.time] = (event.time, n, d)
        else:
            impossible += 1
    if impossible:
        remarks.append(f"{impossible} time signature(s) are impossible and were left out")
    events, joined = [possible[tick] for tick in sorted(possible)], False
    for i, (tick, n, d) in enumerate([] if marked else events):
        # Programs that know beats but not bars write many bars of one beat.
        if (n, d) == (1, 4) and (i + 1 == len(events) or events[i + 1][0] - tick > 4 * tpq):
            events[i] = (tick, 4, 4)
            joined = True
    if joined:
        remarks.append("bars of 1/4 were taken four at a time as 4/4")
    return Meters(events, tpq, pickup=not marked)


def _tempos(found: Excerpt, score: ScoreTick, remarks: list[str]) -> list[list[float]]:
    events = score.tempos.numpy()
    if not len(events["time"]):
        return [[0, 120.0]]
    order = np.argsort(events["time"], kind="stable")
    ticks = events["time"][order]
    # They go with the notes, not with the bar lines, so that all sounds when it did.
    times = found.steps(ticks)
    times = np.where(ticks > 0, times, np.minimum(times, 0))
    exact = 6e7 / np.maximum(events["mspq"][order], 1)
    qpm = np.clip(exact, _MIN_QPM, _MAX_QPM)
    first = max(0, int(np.searchsorted(times, 0, side="right")) - 1)
    last = int(np.searchsorted(times, found.length))
    if np.any(exact[first:last] != qpm[first:last]):
        remarks.append(
            f"a tempo outside {_MIN_QPM:g}..{_MAX_QPM:g} quarter notes a minute was moved to the nearest of these"
        )
    table = {max(0, t): [q] for t, q in zip(times[first:last].tolist(), qpm[first:last].tolist(), strict=True)}
    if 0 not in table:
        table[0] = [120.0]
    return without_repeats(table)


def without_repeats(table: dict[int, list[Any]] | list[list[Any]]) -> list[list[Any]]:
    """Return entries ``[step, *value]`` without those that repeat the value before them."""
    entries = [[at, *table[at]] for at in sorted(table)] if isinstance(table, dict) else table
    return [e for i, e in enumerate(entries) if i == 0 or e[1:] != entries[i - 1][1:]]


def without_repeated_meters(entries: Sequence[list[int]], steps_per_beat: float) -> list[list[int]]:
    """Return entries ``[step, numerator, denominator]`` without those that change nothing.

    One that repeats the meter before it stays where it cuts a bar short: the next bar begins there.
    """
    kept: list[list[int]] = []
    for at, n, d in entries:
        bar = steps_per_beat * 4 * n / d
        if not kept or kept[-1][1:] != [n, d] or abs(math.remainder(at - kept[-1][0], bar)) >= 1:
            kept.append([at, n, d])
    return kept


def _hop(meters: list[list[int]], length: int, steps_per_beat: int, window: int) -> int:
    """Return how many steps of a window are complete bars, in the most common meter of the excerpt."""
    share: Counter[tuple[int, int]] = Counter()
    for (at, n, d), nxt in zip(meters, [*meters[1:], [length]], strict=True):
        share[n, d] += nxt[0] - at
    n, d = max(share, key=lambda meter: share[meter])
    bar, rest = divmod(steps_per_beat * 4 * n, d)
    return window // bar * bar if rest == 0 and 0 < bar <= window else window


def _offset(score: ScoreTick, meters: Meters, start: Ints, tracks: Sequence[Span], step: float) -> tuple[float, str]:
    """Return `beats.offset` in the meter of the first note."""
    n, d = meters.signatures[max(0, bisect_right(meters.starts, int(start[0])) - 1)]
    unit = score.ticks_per_quarter * 4 / d / step
    beat = unit * 3 if d >= 8 and n > 3 and n % 3 == 0 else unit
    return beats.offset(start, step, tracks, round(beat), round(unit * n))


def build_grid(
    score: ScoreTick,
    start: Ints,
    end: Ints,
    *,
    bars: str | int | None,
    steps_per_beat: int,
    window: int,
    tracks: Sequence[Span] = (),
) -> Grid:
    """Return the grid of the bars of a score that are read.

    Parameters
    ----------
    score, start, end, bars, steps_per_beat, tracks : see `place`.
    window : steps in a window.

    Raises
    ------
    MusicaeError : bars that are malformed or out of range; an excerpt of more than a million steps.
    """
    found = place(score, start, end, bars=bars, steps_per_beat=steps_per_beat, tracks=tracks)
    return complete(found, score, steps_per_beat, window)


def complete(found: Excerpt, score: ScoreTick, steps_per_beat: int, window: int) -> Grid:
    """Return the grid of an excerpt of a score, cut into windows of so many steps."""
    start, step, length, meters, remarks = found.start, found.step, found.length, found.meters, list(found.remarks)
    tempos = _tempos(found, score, remarks)
    keys = _keys(score, found.unmoved, step, length)
    hop = _hop(meters, length, steps_per_beat, window)
    plain = (start, step, length, meters, remarks, found.unmoved, found.swing, found.steps_per_beat, found.bar)
    return Grid(*plain, hop, tempos, keys)


def place(
    score: ScoreTick,
    start: Ints,
    end: Ints,
    *,
    bars: str | int | None,
    steps_per_beat: int,
    tracks: Sequence[Span] = (),
) -> Excerpt:
    """Return the bars of a score that are read.

    Parameters
    ----------
    score : the file.
    start, end : onsets (sorted) and ends of the notes that are read, in ticks.
    bars : which bars of the file, counted from 1; None for all from the first note's to the last note's.
    steps_per_beat : steps in a quarter note.
    tracks : onsets and ends of every track, to move the bar lines to the notes (see `beats.offset`).

    Raises
    ------
    MusicaeError : bars that are malformed or out of range; an excerpt of more than a million steps.
    """
    remarks: list[str] = []
    step = score.ticks_per_quarter / steps_per_beat
    meters = _meters(score, step, remarks)
    # What `write` has marked is on its bar lines, however its notes are spread over the beat.
    judged = tracks and not _is_marked(score)
    shift, moved = _offset(score, meters, start, tracks, step) if judged else (0.0, "")
    remarks += [moved] if moved else []
    # Notes within half a step of a bar line count as on it.
    first_onset, last_onset = start[0] - shift + step / 2, start[-1] - shift + step / 2
    first_bar = meters.bar(first_onset)
    last_bar = max(meters.bar(last_onset), meters.bar(end.max() - shift - step / 2))
    if bars is not None:
        first_bar, last_bar = _chosen_bars(bars, last_bar)
    begin, stop = meters.tick(first_bar), meters.tick(last_bar + 1)
    if bars is None:
        begin, stop, marked = _at_markers(score, begin, stop, first_onset, last_onset)
        if first_bar > 0 and begin > 0 and not marked:
            remarks.append(f"{first_bar} empty bar(s) at the start were left out")
    if (stop - begin) / step > MAX_STEPS:
        some = Line("choose some, such as --bars 1-64", "choose some of them, such as 1-64")
        raise MusicaeError(line_of(f"it lasts {last_bar - first_bar + 1} bars, more than fit; ", some))
    length = max(1, math.floor((stop - begin) / step + 0.5))
    table = _meter_table(meters, begin, step, length)
    bar = meters.bar(begin + step / 2) + 1
    return Excerpt(begin + shift, step, length, table, remarks, begin, [[0, 1.0]], steps_per_beat, bar)


def with_swing(found: Excerpt, score: ScoreTick, onsets: Ints) -> Excerpt:
    """Return an excerpt with the swing that the file's markers state, or else that of its `onsets`, in ticks.

    Only beats of a quarter swing, on a grid that has a step for the off-beat eighth and none for triplets.
    """
    if found.steps_per_beat not in STEPS_PER_BEAT:
        return found
    stated = [(mark.time, _SWING.fullmatch(mark.text)) for mark in score.markers if mark.text.startswith("musicae")]
    marked = sorted((tick, min(max(float(text[1]), MIN_SWING), MAX_SWING)) for tick, text in stated if text)
    if marked:
        table = {_step_of(tick, found.unmoved, found.step): [ratio] for tick, ratio in marked}
        swing = without_repeats({0: [1.0], **{at: ratio for at, ratio in table.items() if at < found.length}})
        return replace(found, swing=swing)
    if any(d >= 8 for _, _, d in found.meters):
        return found
    ratio = ratio_of((onsets - found.start) / (found.step * found.steps_per_beat))
    if ratio == 1.0:
        return found
    why = f"it swings: the first eighth of a beat is {ratio:g} times as long as the second"
    return replace(found, swing=[[0, ratio]], remarks=[*found.remarks, why])


def mark_swing(score: ScoreTick, swing: Sequence[Sequence[float]], step: int) -> None:
    """Set markers that state the swing of a score whose steps have so many ticks; none for a straight one."""
    from symusic.core import TextMetaTick

    for at, ratio in [] if is_straight(swing) else swing:
        score.markers.append(TextMetaTick(int(at) * step, f"musicae swing {ratio:.6f}"))


def _chosen_bars(bars: str | int, last_bar: int) -> tuple[int, int]:
    """Return the first and the last of `bars`, from 0; `last_bar` is the last one with notes."""
    first, last = parse_bars(bars)
    if last > last_bar + 1:
        raise MusicaeError(f"bars '{bars}' are out of range; the notes end in bar {last_bar + 1}")
    return first - 1, last - 1


def _is_marked(score: ScoreTick) -> bool:
    return any(mark.text == START for mark in score.markers)


def _at_markers(
    score: ScoreTick, begin: float, stop: float, first_onset: float, last_onset: float
) -> tuple[float, float, bool]:
    """Return the ticks at which an excerpt begins and stops, moved to the markers, and whether there is a `START`.

    Markers that would cut off notes are ignored.
    """
    marks = {mark.text: mark.time for mark in score.markers if mark.text in (START, END)} if len(score.markers) else {}
    if START in marks and marks[START] <= first_onset:
        begin = float(marks[START])
    if END in marks and marks[END] >= last_onset:
        stop = float(marks[END])
    return begin, stop, START in marks


def _step_of(tick: float, begin: float, step: float) -> int:
    """Return the step of an event; an event at tick 0 also holds in an excerpt that starts earlier."""
    return max(0, math.floor((tick - begin) / step + 0.5)) if tick > 0 else 0


def _meter_table(meters: Meters, begin: float, step: float, length: int) -> list[list[int]]:
    events = zip(meters.starts, meters.signatures, strict=True)
    table = {_step_of(tick, begin, step): [n, d] for tick, (n, d) in events}
    return without_repeated_meters(
        [[at, *table[at]] for at in sorted(table) if at < length], meters.ticks_per_quarter / step
    )


def _keys(score: ScoreTick, begin: float, step: float, length: int) -> list[list[int]]:
    """Return the key signatures that are possible (7 sharps or flats at most)."""
    table = {
        _step_of(k.time, begin, step): [k.key, k.tonality]
        for k in score.key_signatures
        if -7 <= k.key <= 7 and k.tonality in {0, 1}
    }
    return without_repeats({at: value for at, value in table.items() if at < length})
