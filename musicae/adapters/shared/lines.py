"""Lines of notes: which track is the melody, its top line, the steps that its notes fall on, and their programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicae.formats.music import parts as score_parts
from musicae.formats.music.bar_grid import Excerpt

__all__ = ["in_range", "pick", "programs", "quantise", "skyline"]

_MAX_CHORD = 4096
"""If more notes begin at one tick, those of one pitch are taken as one."""

_MELODY_NAMES = re.compile(
    r"melod|mélod|vocal|voice|\bvox\b|\bvoc\b|\bsing|\blead|\bsolo|sopran|cant[oaus]|chant|gesang|stimme|\bvoz\b|"
    r"\bvoix\b|\btune\b|\bth[eè]m[ea]|superius|discant|旋律|主旋|メロディ|ボーカル|人声|人聲|мелодия|голос|вокал",
    re.IGNORECASE,
)
_ACCOMPANIMENT_NAMES = re.compile(
    r"back|choir|chorus|harmon|accomp|begleit|bass|drum|perc|\bpad\b|chord|akkord|rhythm", re.IGNORECASE
)


def pick(candidates: Sequence[score_parts.Part]) -> tuple[score_parts.Part, list[str]]:
    """Choose the track of the melody; return it, and remarks that say why.

    1. Among tracks whose name says so (melody, vocal, voice, lead, solo, soprano, canto ..., without words such as
       backing or harmony), or among all if no name does:
    2. the highest sum of four ratings: mean pitch (1.5 from E4 up, 0 from E2 down), share of the time with at most
       one note (3), number of notes (2 from 200 up, logarithmic), share of the piece it plays in (1).
    """
    if len(candidates) == 1:
        return candidates[0], [f"track {candidates[0]}: the only one"] if candidates[0].number > 1 else []
    named = [part for part in candidates if _is_named_melody(part.name)]
    if len(named) == 1:
        return named[0], [f"track {named[0]} was chosen for its name; --track chooses another"]
    pool = named or list(candidates)
    notes = [part.notes() for part in pool]
    span = max(int(n.end.max()) for n in notes) - min(int(n.start[0]) for n in notes)
    best = max(range(len(pool)), key=lambda i: _rating(notes[i], span))
    why = "for its name, pitch and shape" if named else "for its pitch and shape, since no track is named melody"
    return pool[best], [f"track {pool[best]} was chosen from {len(candidates)} {why}; --track chooses another"]


@lru_cache(maxsize=4096)
def _is_named_melody(name: str) -> bool:
    return bool(_MELODY_NAMES.search(name)) and not _ACCOMPANIMENT_NAMES.search(name)


def _rating(notes: score_parts.Notes, span: int) -> float:
    reach = np.maximum.accumulate(notes.end)
    sounding = int(np.minimum(reach[:-1], notes.start[1:]).sum() - notes.start[:-1].sum()) if len(reach) > 1 else 0
    sounding += int(reach[-1] - notes.start[-1])
    height = np.clip((notes.pitch.mean() - 40) / 24, 0, 1)
    single = min(1.0, sounding / max(1, int((notes.end - notes.start).sum())))
    many = np.log1p(min(200, len(notes.start))) / np.log(201)
    cells = notes.start * 32 // max(1, span)
    used = 1 + int(np.count_nonzero(cells[1:] != cells[:-1]))
    return float(1.5 * height + 3 * single + 2 * many + used / 32)


def skyline(notes: score_parts.Notes, step: float, block: int = 65536) -> score_parts.Notes:
    """Return the top line of `notes` (sorted by onset, in ticks): the notes that no higher one covers.

    A higher note covers another if it begins no later and goes on for more than a step (or half of the lower note, if
    that is less) after its onset. Anything shorter is legato: the higher note is held into the next one.
    """
    if np.any(notes.start[_MAX_CHORD:] == notes.start[:-_MAX_CHORD]):
        notes = _longest(notes)  # A block would be as large as the file.
    start, end, pitch = notes.start, notes.end, notes.pitch
    if len(start) < 2 or np.all(np.maximum.accumulate(end)[:-1] <= start[1:]):
        return notes
    pitches, rank = np.unique(-pitch, return_inverse=True)
    slack = np.minimum(step, (end - start) / 2)
    last = np.searchsorted(start, start, side="right") - 1
    keep = np.ones(len(start), bool)
    carried = np.zeros((len(pitches), 1), np.int64)
    for at in range(0, len(start), block):
        # A block ends with the notes of one onset, so that a chord stays together.
        stop = int(last[min(at + block, len(start)) - 1]) + 1
        at = int(last[at - 1]) + 1 if at else 0
        if at >= stop:
            continue
        reach = np.zeros((len(pitches), stop - at + 1), np.int64)
        reach[:, :1] = carried
        reach[rank[at:stop], np.arange(1, stop - at + 1)] = end[at:stop]
        np.maximum.accumulate(reach, axis=1, out=reach)
        carried = reach[:, -1:].copy()
        np.maximum.accumulate(reach, axis=0, out=reach)
        higher = reach[np.maximum(rank[at:stop] - 1, 0), last[at:stop] - at + 1]
        keep[at:stop] = (rank[at:stop] == 0) | (higher - start[at:stop] <= slack[at:stop])
    return score_parts.Notes(*(a[keep] for a in notes))


def _longest(notes: score_parts.Notes) -> score_parts.Notes:
    """Return one note, the longest, of those of the same pitch and onset."""
    order = np.lexsort((-notes.end, notes.pitch, notes.start))
    start, pitch = notes.start[order], notes.pitch[order]
    first = np.append(True, (start[1:] != start[:-1]) | (pitch[1:] != pitch[:-1]))
    kept = np.sort(order[first])
    return score_parts.Notes(*(a[kept] for a in notes))


def quantise(
    notes: score_parts.Notes, grid: Excerpt, steps_per_beat: int, remarks: list[str] | None
) -> score_parts.Notes:
    """Return at most one note a step, in steps within the excerpt; each ends at the latest where the next begins."""
    start, end = grid.steps(notes.start), grid.steps(notes.end)
    inside = (start >= 0) & (start < grid.length)
    # Of several onsets in a step the highest is kept; a grace note (under half a step) yields to its main note.
    long = notes.end - notes.start >= grid.step / 2
    order = np.lexsort((notes.pitch, long, start))
    order = order[inside[order]]
    latest = np.append(start[order][1:] != start[order][:-1], True) if len(order) else np.zeros(0, bool)
    chosen = order[latest]
    if remarks is not None:
        offset = grid.places(notes.start[order]) - start[order]
        merged = len(order) - len(chosen)
        _remark_on_losses(offset, start[order] % steps_per_beat, merged, steps_per_beat, remarks)
    begin = start[chosen]
    until = np.minimum(np.maximum(end[chosen], begin + 1), np.append(begin[1:], grid.length))
    return score_parts.Notes(begin, until, notes.pitch[chosen], notes.velocity[chosen], notes.program[chosen])


def _remark_on_losses(
    offset: NDArray[np.floating[Any]], step: NDArray[np.int64], merged: int, steps_per_beat: int, remarks: list[str]
) -> None:
    if merged:
        remarks.append(f"{merged} onset(s) fell on the same step as another and were left out")
    moved = np.abs(offset) > 0.25
    share = float(moved.mean()) if len(offset) else 0.0
    if share > 0.01:
        remarks.append(f"{share:.0%} of the onsets moved by more than a quarter of a step")
    beat = (step + offset) / steps_per_beat
    triplets = (np.abs(beat - 1 / 3) < 0.04) | (np.abs(beat - 2 / 3) < 0.04)
    if len(offset) and triplets.mean() > 0.1:
        remarks.append(f"{triplets.mean():.0%} of the onsets are triplets or swing; they were made straight")


def in_range(
    pitch: NDArray[np.int64], low: int, high: int, remarks: list[str] | None, whose: str = ""
) -> NDArray[np.int64]:
    """Return MIDI pitches, those outside `low` .. `high` moved by octaves; `whose` begins the remark on that."""
    octaves = -(-np.maximum(low - pitch, 0) // 12) - -(-np.maximum(pitch - high, 0) // 12)
    if remarks is not None and (count := np.count_nonzero(octaves)):
        remarks.append(f"{whose}{count} note(s) outside the pitches {low}..{high} were moved by octaves")
    moved: NDArray[np.int64] = pitch + 12 * octaves
    return moved


def programs(notes: score_parts.Notes) -> list[list[int]]:
    """Return the programs of notes in steps, ``[[step, program], ...]``; of chords one only, that of most notes."""
    if len(np.unique(notes.start)) < len(notes.start):
        return [[0, int(np.bincount(notes.program).argmax())]]
    changes = np.flatnonzero(np.diff(notes.program, prepend=-1))
    steps = [0, *notes.start[changes[1:]].tolist()]
    return [list(entry) for entry in zip(steps, notes.program[changes].tolist(), strict=True)]
