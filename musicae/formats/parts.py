"""The parts of a score: its tracks, as a musician counts them, and their notes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicae.errors import MusicaeError
from musicae.formats.midi_bytes import CHUNK_CONTROL
from musicae.formats.percussion import CLASS_OF

if TYPE_CHECKING:
    from symusic.core import ScoreTick, TrackTick

__all__ = ["Notes", "Part", "has_open_notes", "mend_ends", "merge", "parts", "select", "share_of_drums"]

Ints = NDArray[np.int64]

_MAX_OVERLAPS = 0.05  # Share of the notes of a line that may overlap the next.
_MIN_CHANNELS = 3  # From so many channels of one chunk and program on, they are one instrument.
_MIN_PERCUSSION = 0.95  # Share of the notes of a track named drums that must be percussion.
_DRUM_NAMES = re.compile(
    r"\bdrum|drum ?(kit|set|s\b)|\bkit\b|percus|perkus|schlagzeug|batter[iy]|\bbater[ií]a|trommel|trummor|rummut|"
    r"ударн|барабан|перкусс|ドラム|パーカッション|打楽器|鼓|드럼|타악",
    re.IGNORECASE,
)
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

    `number` counts from 1 over the tracks that have notes, in the file's order.
    """

    number: int
    name: str
    drums: bool
    count: int
    tracks: tuple[TrackTick, ...]

    def notes(self) -> Notes:
        """Return its notes in ticks, sorted by onset."""
        return _notes(self.tracks)

    def __str__(self) -> str:
        """Return its entry in a message's list."""
        return f"{self.number} {self.name or 'unnamed'} ({'drums, ' if self.drums else ''}{self.count} notes)"


def _notes(tracks: Sequence[TrackTick]) -> Notes:
    arrays = [track.notes.numpy() for track in tracks]
    start, duration, pitch, velocity = (
        np.concatenate([a[key] for a in arrays]).astype(np.int64) for key in ("time", "duration", "pitch", "velocity")
    )
    program = np.repeat([t.program for t in tracks], [len(a["time"]) for a in arrays])
    order = np.argsort(start, kind="stable")
    return Notes(*(a[order] for a in (start, start + np.maximum(duration, 1), pitch, velocity, program)))


def parts(score: ScoreTick) -> list[Part]:
    """Return the tracks that have notes, as a musician counts them.

    symusic makes a track of each channel and program of a chunk. Joined again are tracks of one name

    - with different programs, which (almost) never sound at once: a track with program changes;
    - with one program, which (almost) never sound at once: a tune written over several tracks;
    - of one chunk with one program, if they are three or more: a channel for each note (MPE) or for each string.

    A track is drums if it is on channel 10, or is named so and has hardly a pitch that is no percussion.
    """
    groups: list[list[TrackTick]] = []
    named: dict[str, list[int]] = {}
    tracks = [track for track in score.tracks if len(track.notes)]
    keys = [_chunk_key(track) for track in tracks]
    channels = Counter(key for key in keys if key is not None)
    placed: dict[tuple[int, int, str], int] = {}
    for track, key in zip(tracks, keys, strict=True):
        if key is not None and key in placed:
            groups[placed[key]].append(track)
            continue
        if key is not None and channels[key] >= _MIN_CHANNELS:
            placed[key] = len(groups)
            groups.append([track])
            continue
        same = named.setdefault(track.name, []) if not track.is_drum else []
        for index in same if len(same) < 16 else []:
            if _take_turns(groups[index], track):
                groups[index].append(track)
                break
        else:
            same.append(len(groups))
            groups.append([track])
    return [
        Part(
            number,
            tracks[0].name.strip("\0 \t\r\n"),
            tracks[0].is_drum or _is_named_drums(tracks),
            sum(len(t.notes) for t in tracks),
            tuple(tracks),
        )
        for number, tracks in enumerate(groups, start=1)
    ]


def _chunk_key(track: TrackTick) -> tuple[int, int, str] | None:
    """Return the chunk, program and name of a track with pitches; None if it ends without `MidiBytes.dump`'s mark."""
    if track.is_drum or _end_of(track) is None:
        return None
    return track.controls[-2].value << 7 | track.controls[-1].value, track.program, track.name


def _end_of(track: TrackTick) -> int | None:
    """Return the tick at which a track ends, by the mark of `MidiBytes.dump`; None if it has none."""
    controls = track.controls
    return controls[-1].time if len(controls) > 1 and controls[-1].number == CHUNK_CONTROL else None


def _is_named_drums(tracks: Sequence[TrackTick]) -> bool:
    """Tell whether tracks off channel 10 are drums by their name, and by pitches of General MIDI percussion."""
    name = tracks[0].name
    if not _DRUM_NAMES.search(name) or _PITCHED_DRUM_NAMES.search(name):
        return False
    pitch = np.concatenate([track.notes.numpy()["pitch"] for track in tracks])
    return bool((CLASS_OF[pitch] >= 0).mean() > _MIN_PERCUSSION)


def mend_ends(score: ScoreTick) -> None:
    """Let each note end where its pitch is struck again on its track, at the latest, or where the track ends.

    Where the end of a note is missing, symusic gives it that of the next note of its pitch, and so on. In a line, whose
    notes follow one another, a note without an end lasts to the next one, or it would cover those below it.
    """
    tracks = [track for track in score.tracks if len(track.notes)]
    if not tracks:
        return
    arrays = [track.notes.numpy() for track in tracks]
    track = np.repeat(np.arange(len(tracks)), [len(array["time"]) for array in arrays])
    start, duration, pitch = (
        np.concatenate([array[key] for array in arrays]).astype(np.int64) for key in ("time", "duration", "pitch")
    )
    key, end = track << 7 | pitch, start + duration
    order = np.lexsort((start, key))
    overlaps = (key[order][1:] == key[order][:-1]) & (end[order][:-1] > start[order][1:])
    pitched = np.array([not one.is_drum for one in tracks])  # How long a drum sounds says nothing.
    odd = {*track[order][1:][overlaps & pitched[track[order][1:]]].tolist(), *_open_tracks(tracks, track, end)}
    for index in odd:
        _mend_track(tracks[index])


def has_open_notes(score: ScoreTick) -> bool:
    """Tell whether a score has notes that end after their track does: those without an end (see `MidiBytes.dump`)."""
    tracks = [track for track in score.tracks if len(track.notes)]
    arrays = [track.notes.numpy() for track in tracks]
    ends = np.array([int((array["time"] + array["duration"]).max()) for array in arrays], np.int64)
    return bool(_open_tracks(tracks, np.arange(len(tracks)), ends))


def _open_tracks(tracks: Sequence[TrackTick], track: Ints, end: Ints) -> list[int]:
    """Return which tracks have a note that ends after they do; `track` and `end` are those of notes."""
    never = np.iinfo(np.int64).max
    last = np.array([never if (tick := _end_of(one)) is None else tick for one in tracks], np.int64)
    return track[end > last[track]].tolist() if len(tracks) else []


def _mend_track(track: TrackTick) -> None:
    from symusic.core import NoteTickList

    notes, last = track.notes.numpy(), _end_of(track)
    start, pitch = (notes[key].astype(np.int64) for key in ("time", "pitch"))
    end = start + notes["duration"]
    last = int(end.max()) if last is None else last
    open_ended = end > last
    end = np.minimum(end, last)
    for one in np.unique(pitch):
        own = np.flatnonzero(pitch == one)
        ends, onsets = np.sort(end[own]), np.unique(start[own])
        first = ends[np.searchsorted(ends, start[own], side="right").clip(max=len(ends) - 1)]
        after = np.append(onsets[1:], last)[np.searchsorted(onsets, start[own])]
        end[own] = np.maximum(np.minimum(first, after), start[own])
        open_ended[own] |= first > after
    onsets = np.unique(start)
    following = np.append(onsets[1:], last)[np.searchsorted(onsets, start)]
    overlapping = ((end > following) & ~open_ended).sum() + len(start) - len(onsets)
    if overlapping <= _MAX_OVERLAPS * len(start):
        end = np.where(open_ended, np.minimum(end, following), end)
    track.notes = NoteTickList.from_numpy(
        notes["time"], (end - start).astype(np.int32), notes["pitch"], notes["velocity"]
    )


def merge(chosen: Sequence[Part]) -> Notes:
    """Return the notes of several parts together, in ticks, sorted by onset."""
    return _notes([track for part in chosen for track in part.tracks])


def _take_turns(group: list[TrackTick], track: TrackTick) -> bool:
    """Tell whether at most one onset in twenty falls while the other side sounds."""
    first, second = _notes(group), _notes([track])
    clashes = 0
    for a, b in ((first, second), (second, first)):
        begun = np.searchsorted(a.start, b.start, side="right")
        ended = np.searchsorted(np.sort(a.end), b.start, side="right")
        clashes += int(np.count_nonzero(begun > ended))
    return clashes <= (len(first.start) + len(second.start)) / 20


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


def share_of_drums(score: ScoreTick) -> float:
    """Return the share of a score's notes that are drums; 0 for one without notes."""
    drums = sum(part.count for part in parts(score) if part.drums)
    return drums / max(1, score.note_num())
