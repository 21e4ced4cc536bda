"""The parts of a score: its tracks, as a musician counts them, and their notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from musicae.errors import MusicaeError
from musicae.formats.music.percussion import share_in_kit
from musicae.formats.music.tracks import Ints, Track, Tracks

__all__ = ["Notes", "Part", "merge", "parts", "select", "share_of_drums", "spans"]

_MAX_SHOWN = 80  # Characters of a name in messages.
_MAX_OVERLAPS = 0.05  # Share of the notes of a line that may overlap the next.
_MAX_COMPARED, _COMPARISON = 30_000_000, 6000  # Notes compared to join tracks; how many a comparison counts itself.
_MAX_GROUPS = 16  # Tracks of one name that another is compared with.
_MAX_SPANS = 64
_CELLS = 2048  # Into which a piece is divided to tell at a glance that tracks sound together.
_MIN_CHANNELS = 3  # From so many channels of one chunk and program on, they may be one instrument.
_STRUNG = range(24, 40)  # The programs of guitars and basses.
_MAX_EFFECT = 0.1  # Share of the variance in pitch between the channels of one instrument (epsilon squared).
_MIN_IN_KIT = 0.8  # Share of the notes of a track named drums that must be those of a drum kit.
_DRUM_NAMES = re.compile(
    r"\bdrum|drum ?(kit|set|s\b)|\bkit\b|percus|perkus|schlagzeug|batter[iy]|\bbater[ií]a|trommel|trummor|rummut|"
    r"ударн|барабан|перкусс|ドラム|パーカッション|打楽器|鼓|드럼|타악",
    re.IGNORECASE,
)
_NO_NOTES = np.empty(0, np.int64)
_TUNED_DRUMS = {47, 114, 116, 117, 118}  # Timpani, steel drums, taiko, toms, synth drum: pitch is no kind of drum.
_PITCHED_DRUM_NAMES = re.compile(r"steel|melod|synth", re.IGNORECASE)


class Notes(NamedTuple):
    """Notes in the order of their onsets: ``(N,)`` each; `start` and `end` in ticks or steps."""

    start: Ints
    end: Ints
    pitch: Ints
    velocity: Ints
    program: Ints


@dataclass(frozen=True)
class Part:
    """A track with notes, as a musician counts tracks: one with program changes, which symusic splits, is one.

    `number` counts from 1 over the tracks that have notes, in the file's order. `tracks` are its places in those of
    the `score`.
    """

    number: int
    name: str
    drums: bool
    count: int
    tracks: tuple[int, ...]
    score: Tracks

    @property
    def program(self) -> int:
        """The program that it begins with."""
        return self.score.tracks[self.tracks[0]].program

    def notes(self) -> Notes:
        """Return its notes in ticks, sorted by onset."""
        return _notes(self.score, self.tracks)

    def span(self) -> tuple[Ints, Ints]:
        """Return the onsets of its notes, sorted, and their ends."""
        if len(self.tracks) > 1:
            return self.notes()[:2]
        own = self.score.tracks[self.tracks[0]].span
        return self.score.start[own], self.score.stop[own]

    def __str__(self) -> str:
        """Return its entry in a message's list."""
        return (
            f"{self.number} {self.name[:_MAX_SHOWN] or 'unnamed'} ({'drums, ' if self.drums else ''}{self.count} notes)"
        )


def _notes(score: Tracks, chosen: Sequence[int]) -> Notes:
    tracks = [score.tracks[i] for i in chosen]
    arrays = [score.start, score.stop, score.pitch, score.velocity]
    if len(tracks) == 1:
        start, end, pitch, velocity = (array[tracks[0].span] for array in arrays)
        return Notes(start, end, pitch, velocity, np.full(len(start), tracks[0].program))
    start, end, pitch, velocity = (np.concatenate([array[track.span] for track in tracks]) for array in arrays)
    program = np.repeat([track.program for track in tracks], [len(track) for track in tracks])
    order = np.argsort(start, kind="stable")
    return Notes(*(a[order] for a in (start, end, pitch, velocity, program)))


def parts(score: Tracks) -> list[Part]:
    """Return the tracks that have notes, as a musician counts them.

    symusic makes a track of each channel and program of a chunk. Joined again are tracks of one name

    - with different programs, which (almost) never sound at once: a track with program changes;
    - with one program, which (almost) never sound at once: a tune written over several tracks;
    - of one chunk with one program, if they are the channels of one instrument: one for each note (MPE) or string.

    A track is drums if it is on channel 10, or is named so and has nearly only the pitches of a drum kit.
    """
    groups: list[_Group] = []
    named: dict[str, list[_Group]] = {}
    channels: dict[tuple[int, int, str], list[int]] = {}
    keys = [_chunk_key(track) for track in score.tracks]
    for i, key in enumerate(keys):
        if key is not None:
            channels.setdefault(key, []).append(i)
    instruments = {key for key, own in channels.items() if len(own) >= _MIN_CHANNELS and _is_one_instrument(score, own)}
    tuned = [track.name for track in score.tracks if not track.drums]
    cells = _cells(score) if len(set(tuned)) < len(tuned) else [(0, 0)] * len(keys)
    placed: dict[tuple[int, int, str], _Group] = {}
    turns = _Turns(score)
    for i, (track, key) in enumerate(zip(score.tracks, keys, strict=True)):
        new = _Group([i], {track.program}, len(track), *cells[i])
        if key is not None and key in instruments:
            if key in placed:
                placed[key].add(new)
            else:
                placed[key] = new
                groups.append(new)
            continue
        same = named.setdefault(track.name, []) if not track.drums else []
        found = next((one for one in same if turns.taken(one, new)), None) if len(same) < _MAX_GROUPS else None
        if found is not None:
            found.add(new)
            continue
        same.append(new)
        groups.append(new)
    return [_part(score, number, group) for number, group in enumerate(groups, start=1)]


def _part(score: Tracks, number: int, group: _Group) -> Part:
    first = score.tracks[group.places[0]]
    drums = first.drums or _is_named_drums(score, group.places)
    return Part(number, first.name.strip("\0 \t\r\n"), drums, group.count, tuple(group.places), score)


def _chunk_key(track: Track) -> tuple[int, int, str] | None:
    """Return the chunk, program and name of a track with pitches; None if it ends without `MidiBytes.dump`'s mark."""
    return None if track.drums or track.chunk < 0 else (track.chunk, track.program, track.name)


def _is_one_instrument(score: Tracks, chosen: Sequence[int]) -> bool:
    """Tell whether channels of one chunk and program are the strings of a guitar, or the notes of a controller (MPE).

    Each is a line then. Of other instruments than guitars and basses they must be alike in pitch, as parts are not.
    """
    tracks = [score.tracks[i] for i in chosen]
    for track in tracks:
        start, end = score.start[track.span], np.maximum.accumulate(score.end[track.span])
        if np.count_nonzero(end[:-1] > start[1:]) > _MAX_OVERLAPS * len(start):
            return False
    if tracks[0].program in _STRUNG:
        return True
    pitches = [score.pitch[track.span].astype(np.float64) for track in tracks]
    joined = np.concatenate(pitches)
    free = len(joined) - len(pitches)
    within = sum(float(((one - one.mean()) ** 2).sum()) for one in pitches)
    return free > 0 and within / free >= (1 - _MAX_EFFECT) * float(joined.var(ddof=1))


def _is_named_drums(score: Tracks, chosen: Sequence[int]) -> bool:
    """Tell whether tracks off channel 10 are drums by their name, and by the pitches of a drum kit.

    A tune may be called "The Little Drummer".
    """
    tracks = [score.tracks[i] for i in chosen]
    if tracks[0].program in _TUNED_DRUMS or not _names_drums(tracks[0].name):
        return False
    return share_in_kit(np.concatenate([score.pitch[track.span] for track in tracks])) >= _MIN_IN_KIT


@lru_cache(maxsize=4096)
def _names_drums(name: str) -> bool:
    return bool(_DRUM_NAMES.search(name)) and not _PITCHED_DRUM_NAMES.search(name)


@dataclass
class _Group:
    """Tracks that are one part: their places, programs, number of notes, and `_cells`.

    `span` has the onsets and ends, each sorted, of the first `spanned` of them.
    """

    places: list[int]
    programs: set[int]
    count: int
    begun: int
    filled: int
    span: tuple[Ints, Ints] = (_NO_NOTES, _NO_NOTES)
    spanned: int = 0

    def add(self, other: _Group) -> None:
        """Take another group in."""
        self.places += other.places
        self.programs |= other.programs
        self.count += other.count
        self.begun |= other.begun
        self.filled |= other.filled


class _Turns:
    """Tells which tracks of a score take turns; it compares a certain number of notes at most."""

    def __init__(self, score: Tracks) -> None:
        self._score, self._left = score, _MAX_COMPARED

    def taken(self, group: _Group, other: _Group) -> bool:
        """Tell whether at most one onset in twenty falls while the other side sounds.

        Of one program, which more often are two parts, it must be so for the side of fewer notes alone.
        """
        both = group.count + other.count
        self._left -= _COMPARISON + both
        if self._left <= 0:
            return False
        changed = group.programs.isdisjoint(other.programs)
        most = (both if changed else 2 * min(group.count, other.count)) / 20
        # Each cell with an onset that the other side fills has a clash: that tells most of them.
        least = (group.begun & other.filled).bit_count() + (other.begun & group.filled).bit_count()
        return least <= most and self._clashes(group, other) <= most

    def _clashes(self, group: _Group, other: _Group) -> int:
        sides = self._span(group), self._span(other)
        clashes = 0
        for (start, end), (onset, _) in (sides, sides[::-1]):
            begun, ended = start.searchsorted(onset, "right"), end.searchsorted(onset, "right")
            clashes += int(np.count_nonzero(begun > ended))
        return clashes

    def _span(self, group: _Group) -> tuple[Ints, Ints]:
        """Return the onsets and the ends of the notes of some tracks, each sorted, and keep them with the group."""
        for i in group.places[group.spanned :]:
            own = self._score.tracks[i].span
            span = self._score.start[own], np.sort(self._score.stop[own])
            if group.spanned:
                span = (
                    np.sort(np.concatenate([group.span[0], span[0]]), kind="stable"),
                    np.sort(np.concatenate([group.span[1], span[1]]), kind="stable"),
                )
            group.span, group.spanned = span, group.spanned + 1
        return group.span


def _cells(score: Tracks) -> list[tuple[int, int]]:
    """Return for each track the cells of time in which it begins a note, and those which it fills, as bits."""
    zero, count = int(score.start.min()), len(score.tracks)
    width = (int(score.stop.max()) - zero) // _CELLS + 1
    row = score.number * (_CELLS * width) - zero
    start, end = score.start + row, score.stop + row
    # Where it sounds without a break.
    reach = np.maximum.accumulate(end)
    breaks = np.flatnonzero(start[1:] > reach[:-1])
    first, last = -(-start[np.append(0, breaks + 1)] // width), reach[np.append(breaks, len(reach) - 1)] // width
    whole = first < last
    change = np.zeros(count * _CELLS + 1, np.int8)
    change[first[whole]] += 1
    change[last[whole]] -= 1
    begun = np.zeros((count, _CELLS), bool)
    begun.reshape(-1)[start // width] = True
    filled = np.add.accumulate(change[:-1], dtype=np.int8).reshape(count, _CELLS)
    bits = [np.packbits(cells, axis=1) for cells in (begun, filled)]
    rows = zip(*([row.tobytes() for row in cells] for cells in bits), strict=True)
    return [(int.from_bytes(onset), int.from_bytes(fill)) for onset, fill in rows]


def merge(chosen: Sequence[Part]) -> Notes:
    """Return the notes of several parts together, in ticks, sorted by onset."""
    return _notes(chosen[0].score, [i for part in chosen for i in part.tracks])


def spans(available: Sequence[Part]) -> list[tuple[Ints, Ints]]:
    """Return the onsets and ends of the first 64 parts, drums apart: by them the beats are found (`beats.offset`)."""
    return [part.span() for part in available[:_MAX_SPANS] if not part.drums]


def select(available: Sequence[Part], track: str | int) -> list[Part]:
    """Return the parts that `track` names: a number from 1, or (part of) a name, in upper or lower case.

    Raises
    ------
    MusicaeError : no such track; the message lists the tracks.
    """
    text = str(track).strip()
    exact = [part for part in available if part.name.lower() == text.lower()]
    if exact:
        return exact
    if re.fullmatch(r"\d+", text):
        chosen = [part for part in available if part.number == int(text)]
    else:
        chosen = [part for part in available if text and text.lower() in part.name.lower()]
    if not chosen:
        listing = ", ".join(str(part) for part in available[:12])
        more = f" and {len(available) - 12} more" if len(available) > 12 else ""
        raise MusicaeError(f"there is no track '{text}'; choose from {listing}{more}")
    return chosen


def share_of_drums(score: Tracks) -> float:
    """Return the share of a score's notes that are drums; 0 for one without notes."""
    drums = sum(part.count for part in parts(score) if part.drums)
    return drums / max(1, len(score.start))
