"""Other times and velocities for some notes of a MIDI file, in which all else stays as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from musicae.errors import MusicaeError
from musicae.formats.music import midi_bytes

__all__ = ["Move", "Struck", "retimed"]

_DRUMS = 9  # Channel 10, counted from 0.
_FINE = 240  # Ticks of a quarter note that are enough for timing; a file with fewer gets more.
_MAX_TICKS = 0x7FFF


class Struck(NamedTuple):
    """The beginning of a note in a file: the number of its track there, from 0, and whether it is on channel 10."""

    track: int
    drums: bool
    tick: int
    pitch: int


class Move(NamedTuple):
    """When a note is to begin, in ticks, which may be a fraction, and its velocity."""

    tick: float
    velocity: int


def retimed(data: bytes, name: str, moves: Mapping[Struck, Move]) -> bytes:
    """Return a MIDI file in which the notes that begin where `moves` says begin elsewhere, as long as they were.

    Tracks without such notes keep their bytes, others their other events, in their order. A file whose ticks are too
    coarse for timing gets finer ones. Raise MusicaeError for a file that cannot be read, or has patterns instead of
    tracks (type 2); `name` is what messages call it.
    """
    file = midi_bytes.parse(data, name)
    if file.style == 2:
        raise MusicaeError(f"{name} holds separate patterns (a type-2 file); save it as type 1 first")
    finer = 1
    if not file.ticks_per_second:
        while file.ticks_per_quarter * finer < _FINE and file.ticks_per_quarter * finer * 2 <= _MAX_TICKS:
            finer *= 2
    chosen = {struck.track for struck in moves}
    tracks = [
        _moved(events, i, moves, finer) if i in chosen else events if finer == 1 else _finer(events, finer)
        for i, events in enumerate(file.tracks)
    ]
    return replace(file, tracks=tracks, ticks_per_quarter=file.ticks_per_quarter * finer).plain()


def _finer(track: bytes, finer: int) -> bytes:
    return midi_bytes.track_of((tick * finer, event) for tick, event in midi_bytes.events_of(track))


class _Event:
    """An event with the tick it goes to; of those at one tick, ends come first and moved notes last."""

    def __init__(self, tick: int, event: bytes) -> None:
        self.tick, self.event, self.rank = tick, event, 1

    def key(self) -> tuple[int, int]:
        return self.tick, self.rank


def _moved(track: bytes, number: int, moves: Mapping[Struck, Move], finer: int) -> bytes:
    """Return the events of a track with its notes moved, in ticks that are finer by a factor."""
    found = [(tick, _Event(tick * finer, event)) for tick, event in midi_bytes.events_of(track)]
    closing = found.pop()[1]  # The event at the end.
    open_notes: dict[bytes, list[tuple[_Event, int]]] = defaultdict(list)
    struck: dict[bytes, list[tuple[_Event, _Event]]] = defaultdict(list)
    for tick, one in found:
        status, key = one.event[0], bytes([one.event[0] & 0x0F, one.event[1]]) if one.event[0] < 0xA0 else b""
        if not key:
            continue
        if status >= 0x90 and one.event[2]:
            move = moves.get(Struck(number, key[0] == _DRUMS, tick, key[1]))
            if move is not None:
                one.tick, one.rank = max(0, round(move.tick * finer)), 2
                one.event = bytes([status, key[1], min(max(move.velocity, 1), 127)])
            open_notes[key].append((one, one.tick - tick * finer))
        elif open_notes[key]:
            begun, shift = open_notes[key].pop(0)
            if begun.rank == 2:
                one.tick, one.rank = max(one.tick + shift, begun.tick + 1), 0
            struck[key].append((begun, one))
    for notes in struck.values():
        _end_before_the_next(notes)
    events = sorted((one for _, one in found), key=_Event.key)
    closing.tick = max([closing.tick, *(one.tick for one in events[-1:])])
    return midi_bytes.track_of((one.tick, one.event) for one in [*events, closing])


def _end_before_the_next(notes: list[tuple[_Event, _Event]]) -> None:
    """Let notes of one pitch end where the next begins, at the latest, if one of the two is moved."""
    ordered = sorted(notes, key=lambda note: note[0].tick)
    for (begun, end), (following, _) in pairwise(ordered):
        if (begun.rank == 2 or following.rank == 2) and end.tick >= following.tick:
            end.tick, end.rank = max(following.tick, begun.tick + 1), 0
