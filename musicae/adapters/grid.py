"""Steps, bars, tempo and meter: how ticks of a MIDI file become steps of a tensor, and the `meta` that keeps the rest.

The `meta` of a melody or a drum pattern is a plain JSON-able dict. Steps count from the start of the excerpt.

============ ==============================================================================
key          value
============ ==============================================================================
tempos       ``[[step, quarter notes a minute], ...]``, the first at step 0
meters       ``[[step, numerator, denominator], ...]``, the first at step 0
programs     ``[[step, General MIDI program 0..127], ...]``, the first at step 0
keys         ``[[step, sharps (or minus flats), 0 major or 1 minor], ...]``, may be empty
track        the track's name
source       the file's name
velocities   1..127 where a note begins, else 0: ``T`` numbers (melody), ``9`` lists of ``T`` (drums)
============ ==============================================================================
"""

from __future__ import annotations

import copy
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musicae.adapters import align
from musicae.core import Sample
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["END", "START", "Grid", "Meters", "blank", "concat", "lay", "mix", "parse_bars", "velocity"]

Ints = NDArray[np.int64]
Span = tuple[Ints, Ints]

START, END = "musicae start", "musicae end"
"""Markers that `write` sets where the notes alone would not show where the excerpt starts or ends."""

MAX_STEPS = 1_000_000
SLOWEST, FASTEST = 10.0, 400.0


class Meters:
    """The bars of a piece through its time signatures ``(tick, numerator, denominator)``, numbered from 0.

    A first bar that the next time signature cuts short, or a single one of fewer beats, is a pick-up: it is made whole
    by starting it earlier (at a negative tick), so that its notes keep their place before the bar line.
    """

    def __init__(self, signatures: Sequence[tuple[int, int, int]], ticks_per_quarter: int) -> None:
        events = list(signatures)
        if not events or events[0][0] > 0:
            events.insert(0, (0, 4, 4))
        self.signatures = [(n, d) for _, n, d in events]
        self.starts = [float(tick) for tick, _, _ in events]
        self.lengths = [ticks_per_quarter * 4 * n / d for n, d in self.signatures]
        if len(events) > 1 and self._starts_with_pickup():
            if self.starts[1] < self.lengths[1]:
                self.signatures[0], self.lengths[0] = self.signatures[1], self.lengths[1]
            self.starts[0] = self.starts[1] - self.lengths[0]
        self.numbers = [0]
        for start, end, length in zip(self.starts, self.starts[1:], self.lengths, strict=False):
            self.numbers.append(self.numbers[-1] + math.ceil((end - start) / length - 1e-6))

    def _starts_with_pickup(self) -> bool:
        """Tell whether the first bar is cut short, or is one bar of a meter of its own in the same note values."""
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
class Grid:
    """The steps of one excerpt: `length` steps of `step` ticks from tick `start`, and what happens on the way."""

    start: float
    step: float
    length: int
    hop: int
    tempos: list[list[float]]
    meters: list[list[int]]
    keys: list[list[int]]
    remarks: list[str] = field(default_factory=list)

    def steps(self, ticks: NDArray[Any]) -> NDArray[np.int64]:
        """Return the nearest step of each tick (halves go up); it may lie outside the excerpt."""
        steps: NDArray[np.int64] = np.floor((ticks - self.start) / self.step + 0.5).astype(np.int64)
        return steps


def parse_bars(bars: str | int) -> tuple[int, int]:
    """Return the first and the last bar (from 1) of ``"5-8"`` or ``"3"``. Raise MusicaeError for anything else."""
    match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", str(bars))
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last:
        raise MusicaeError(f"bars '{bars}' is no range of bars; write 5-8 or 3, counting from 1")
    return first, last


def _meters(score: ScoreTick, step: float, remarks: list[str]) -> Meters:
    """Return the bars of a score, without time signatures that make no sense."""
    tpq = score.ticks_per_quarter
    found: dict[int, tuple[int, int, int]] = {}
    for event in score.time_signatures:
        n, d = event.numerator, event.denominator
        if 1 <= n <= 64 and d in {1, 2, 4, 8, 16, 32, 64} and tpq * 4 * n / d >= step:
            found[event.time] = (event.time, n, d)
    if len(found) < len(score.time_signatures):
        remarks.append(f"{len(score.time_signatures) - len(found)} time signature(s) make no sense and were left out")
    events = [found[tick] for tick in sorted(found)]
    for i, (tick, n, d) in enumerate(events):
        # Bars of one beat, many in a row, are what programs write that know beats but no bars.
        if (n, d) == (1, 4) and (i + 1 == len(events) or events[i + 1][0] - tick > 4 * tpq):
            events[i] = (tick, 4, 4)
            remarks.append("bars of 1/4 were taken four at a time as 4/4")
    return Meters(events, tpq)


def _tempos(score: ScoreTick, grid_start: float, step: float, length: int, remarks: list[str]) -> list[list[float]]:
    events = score.tempos.numpy()
    if not len(events["time"]):
        return [[0, 120.0]]
    order = np.argsort(events["time"], kind="stable")
    times = np.floor((events["time"][order] - max(0.0, grid_start)) / step + 0.5).astype(np.int64)
    exact = 6e7 / np.maximum(events["mspq"][order], 1)
    qpm = np.clip(exact, SLOWEST, FASTEST)
    first = max(0, int(np.searchsorted(times, 0, side="right")) - 1)
    last = int(np.searchsorted(times, length))
    if np.any(exact[first:last] != qpm[first:last]):
        remarks.append(
            f"a tempo outside {SLOWEST:g}..{FASTEST:g} quarter notes a minute was moved to the nearest of these"
        )
    table = {max(0, t): [q] for t, q in zip(times[first:last].tolist(), qpm[first:last].tolist(), strict=True)}
    if 0 not in table:
        table[0] = [120.0]
    return _changes(table)


def _changes(table: dict[int, list[Any]] | list[list[Any]]) -> list[list[Any]]:
    """Return entries ``[step, *value]`` without those that repeat the value before them."""
    entries = [[at, *table[at]] for at in sorted(table)] if isinstance(table, dict) else table
    return [e for i, e in enumerate(entries) if i == 0 or e[1:] != entries[i - 1][1:]]


def _hop(meters: list[list[int]], length: int, steps_per_beat: int, window: int) -> int:
    """Return the whole number of bars, in steps, that fits in a window, of the meter that fills most of the excerpt."""
    share: Counter[tuple[int, int]] = Counter()
    for (at, n, d), nxt in zip(meters, [*meters[1:], [length]], strict=True):
        share[n, d] += nxt[0] - at
    n, d = max(share, key=lambda meter: share[meter])
    bar, rest = divmod(steps_per_beat * 4 * n, d)
    return window // bar * bar if rest == 0 and 0 < bar <= window else window


def _align(score: ScoreTick, meters: Meters, start: Ints, tracks: Sequence[Span], step: float) -> tuple[float, str]:
    """Return `align.offset` under the meter of the first note."""
    n, d = meters.signatures[max(0, bisect_right(meters.starts, int(start[0])) - 1)]
    unit = score.ticks_per_quarter * 4 / d / step
    beat = unit * 3 if d >= 8 and n > 3 and n % 3 == 0 else unit
    return align.offset(start, step, tracks, round(beat), round(unit * n))


def lay(
    score: ScoreTick,
    start: Ints,
    end: Ints,
    *,
    bars: str | int | None,
    steps_per_beat: int,
    window: int,
    tracks: Sequence[Span] = (),
) -> Grid:
    """Lay the grid of steps over the bars of a score.

    Parameters
    ----------
    score : the file.
    start, end : onsets (sorted) and ends of the notes that are read, in ticks.
    bars : the bars wanted, as in the file, counted from 1; None for all from the first note's to the last note's.
    steps_per_beat, window : steps in a quarter note and in a window.
    tracks : onsets and ends of every track, where the bar lines shall be moved to the notes (see `align.offset`).

    Raises
    ------
    MusicaeError : bars that are malformed or out of range; an excerpt of more than a million steps.
    """
    remarks: list[str] = []
    step = score.ticks_per_quarter / steps_per_beat
    meters = _meters(score, step, remarks)
    shift, moved = _align(score, meters, start, tracks, step) if tracks else (0.0, "")
    remarks += [moved] if moved else []
    onset, last = start[0] - shift + step / 2, start[-1] - shift + step / 2
    first_bar = meters.bar(onset)
    last_bar = max(meters.bar(last), meters.bar(end.max() - shift - step / 2))
    if bars is not None:
        a, b = parse_bars(bars)
        if b > last_bar + 1:
            raise MusicaeError(f"bars '{bars}' are out of range; the notes end in bar {last_bar + 1}")
        first_bar, last_bar = a - 1, b - 1
    begin, stop = meters.tick(first_bar), meters.tick(last_bar + 1)
    if bars is None:
        marks = {m.text: m.time for m in score.markers if m.text in (START, END)} if len(score.markers) else {}
        begin = float(marks[START]) if START in marks and marks[START] <= onset else begin
        stop = float(marks[END]) if END in marks and marks[END] >= last else stop
        if first_bar > 0 and begin > 0 and START not in marks:
            remarks.append(f"{first_bar} empty bar(s) at the start were left out")
    if (stop - begin) / step > MAX_STEPS:
        raise MusicaeError(f"it lasts {last_bar - first_bar + 1} bars, more than fit; choose some, as in --bars 1-64")
    length = max(1, math.floor((stop - begin) / step + 0.5))

    def place(tick: float) -> int:
        # What holds at tick 0 also holds in an excerpt that starts before it.
        return max(0, math.floor((tick - begin) / step + 0.5)) if tick > 0 else 0

    signatures = zip(meters.starts, meters.signatures, strict=True)
    table = _changes({place(at): [n, d] for at, (n, d) in signatures if place(at) < length})
    keys = {
        place(k.time): [k.key, k.tonality]
        for k in score.key_signatures
        if place(k.time) < length and -7 <= k.key <= 7 and k.tonality in {0, 1}
    }
    hop = _hop(table, length, steps_per_beat, window)
    tempos = _tempos(score, begin, step, length, remarks)
    return Grid(begin + shift, step, length, hop, tempos, table, _changes(keys), remarks)


def blank(track: str, program: int = 0) -> dict[str, Any]:
    """Return the `meta` of something that no file gave: 120 quarter notes a minute, 4/4."""
    return {
        "tempos": [[0, 120.0]],
        "meters": [[0, 4, 4]],
        "programs": [[0, program]],
        "keys": [],
        "track": track,
        "source": "",
        "velocities": [],
    }


def _average_qpm(meta: dict[str, Any]) -> float:
    """Return the geometric mean of the tempo over the steps (each entry lasts until the next)."""
    tempos = meta["tempos"]
    length = max(np.shape(meta["velocities"])[-1] if meta["velocities"] else 0, tempos[-1][0] + 1)
    spans = np.diff([at for at, _ in tempos] + [length])
    return math.exp(float(np.average([math.log(q) for _, q in tempos], weights=spans)))


def mix(metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """Return the `meta` between several.

    The tempo is the weighted geometric mean of their average tempos, velocities are averaged where notes begin
    (over those that have one there), and the rest is the heaviest's, the first's on a tie. A weight of 1 gives that
    `meta` unchanged.
    """
    heaviest = max(range(len(metas)), key=lambda i: weights[i])
    mixed = copy.deepcopy(metas[heaviest])
    if weights[heaviest] >= 1.0 - 1e-9:
        return mixed
    qpm = math.exp(sum(w * math.log(_average_qpm(m)) for m, w in zip(metas, weights, strict=True)))
    mixed["tempos"] = [[0, qpm]]
    known = [(np.asarray(m["velocities"], float), w) for m, w in zip(metas, weights, strict=True) if m["velocities"]]
    if known:
        shape = (*known[0][0].shape[:-1], max(v.shape[-1] for v, _ in known))
        total, weight = np.zeros(shape), np.zeros(shape)
        for v, w in known:
            total[..., : v.shape[-1]] += w * v
            weight[..., : v.shape[-1]] += w * (v > 0)
        mixed["velocities"] = np.rint(total / np.maximum(weight, 1e-9)).astype(int).tolist()
    return mixed


def concat(parts: Sequence[Sample], steps_per_beat: int) -> dict[str, Any]:
    """Return the `meta` of samples one after another: their maps with offsets, the names of the first."""
    joined = copy.deepcopy(parts[0].meta)
    maps: dict[str, list[list[Any]]] = {"tempos": [], "meters": [], "programs": [], "keys": []}
    offset, whole_bars = 0, True
    for part in parts:
        length = part.tensor.shape[-1]
        for name, entries in maps.items():
            # A sample that was trimmed may still know what came after.
            entries.extend([at + offset, *value] for at, *value in part.meta[name] if at < length)
        at, n, d = next(entry for entry in reversed(part.meta["meters"]) if entry[0] < length)
        whole_bars = whole_bars and (length - at) * d % (steps_per_beat * 4 * n) == 0
        offset += length
    joined |= {name: _changes(entries) for name, entries in maps.items() if name != "meters"}
    # A part that ends inside a bar is followed by its meter again, so that the next part starts on a bar line.
    joined["meters"] = _changes(maps["meters"]) if whole_bars else maps["meters"]
    joined["velocities"] = _join_velocities(parts)
    return joined


def _join_velocities(parts: Sequence[Sample]) -> list[Any]:
    depth = max(np.ndim(part.meta["velocities"]) for part in parts)
    rows = parts[0].tensor.shape[0] if depth == 2 else 1
    if not any(part.meta["velocities"] for part in parts):
        return []
    blocks = []
    for part in parts:
        block = np.zeros((rows, part.tensor.shape[-1]), int)
        known = np.atleast_2d(np.asarray(part.meta["velocities"] or 0, int))[:, : block.shape[1]]
        block[:, : known.shape[1]] = known
        blocks.append(block)
    joined = np.concatenate(blocks, axis=1)
    result: list[Any] = joined.tolist() if depth == 2 else joined[0].tolist()
    return result


def velocity(meta: dict[str, Any], rows: int, length: int, steps_per_beat: int) -> NDArray[np.int64]:
    """Return a velocity 1..127 for every row and step, ``(rows, length)``.

    What `meta` knows is kept. Elsewhere it is the mean of what is known (80 where nothing is), 8 more on the first
    step of a bar and 4 more on a beat.
    """
    known = np.zeros((rows, length), np.int64)
    given = np.atleast_2d(np.asarray(meta["velocities"], np.int64))[:rows, :length]
    known[: given.shape[0], : given.shape[1]] = given
    level = known[known > 0].mean() if np.any(known) else 80.0
    steps = np.arange(length)
    accent = np.where(steps % steps_per_beat == 0, 4, 0)
    meters = meta["meters"]
    for (at, n, d), nxt in zip(meters, [*meters[1:], [length]], strict=True):
        bar = max(1, round(steps_per_beat * 4 * n / d))
        accent[at : nxt[0] : bar] = 8
    assumed = np.broadcast_to(np.rint(level + accent - 2).astype(np.int64), known.shape)
    return np.clip(np.where(known > 0, known, assumed), 1, 127)
