"""The notes of all tracks of a score in a few arrays, and the ends of those that lack one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musicae.formats.music.midi_bytes import CHUNK_CONTROL

if TYPE_CHECKING:
    from symusic.core import ScoreTick, TrackTick

__all__ = ["Ints", "Track", "Tracks", "mend_ends"]

Ints = NDArray[np.int64]

_BATCH = 100_000  # Notes that are mended at once: enough to be quick, and of little memory.
_MAX_OVERLAPS = 0.05  # Share of the notes of a line that may overlap the next.


@dataclass(frozen=True)
class Track:
    """A track with notes, which are the places `span` of the arrays of `Tracks`.

    `last` is the tick at which it ends and `chunk` the number of its chunk in the file, by the mark of
    `MidiBytes.dump`; -1 where it has none.
    """

    name: str
    program: int
    drums: bool
    span: slice
    last: int
    chunk: int

    def __len__(self) -> int:
        return int(self.span.stop - self.span.start)


@dataclass
class Tracks:
    """The tracks of a score that have notes, in the file's order, and all their notes ``(N,)``, track after track.

    Those of a track are in the order of their onsets; `start` and `end` are in ticks.
    """

    tracks: list[Track]
    start: Ints
    end: Ints
    pitch: Ints
    velocity: Ints

    @classmethod
    def none(cls) -> Tracks:
        """Return no tracks."""
        return cls([], *(np.empty(0, np.int64),) * 4)

    @classmethod
    def of(cls, score: ScoreTick) -> Tracks:
        """Return the tracks of a score as symusic makes them: one for each channel and program of a chunk."""
        from symusic.core import NoteTickList

        # One conversion of all notes is several times as fast as one a track.
        notes, tracks, at = NoteTickList(), [], 0
        for track in score.tracks:
            own = track.notes
            if count := len(own):
                notes.extend(own)
                last, chunk = _mark(track)
                tracks.append(Track(track.name, track.program, track.is_drum, slice(at, at + count), last, chunk))
                at += count
        arrays = notes.numpy()
        start, duration, pitch, velocity = (
            arrays[key].astype(np.int64) for key in ("time", "duration", "pitch", "velocity")
        )
        return cls(tracks, start, start + duration, pitch, velocity)

    @cached_property
    def stop(self) -> Ints:
        """The ends of the notes, each a tick after its onset at the earliest; ask for it once ends are mended."""
        return np.maximum(self.end, self.start + 1)

    @cached_property
    def number(self) -> Ints:
        """The number of the track that each note is on, ``(N,)``."""
        return np.repeat(np.arange(len(self.tracks)), [len(track) for track in self.tracks])

    def open(self) -> list[int]:
        """Return which tracks have notes that end after the track does: those without an end (`MidiBytes.dump`)."""
        if not self.tracks:
            return []
        latest = np.maximum.reduceat(self.end, [track.span.start for track in self.tracks]).tolist()
        return [i for i, track in enumerate(self.tracks) if 0 <= track.last < latest[i]]


def _mark(track: TrackTick) -> tuple[int, int]:
    """Return the tick at which a track ends, and the number of its chunk."""
    controls = track.controls
    if len(controls) > 1:
        low, high = controls[-1], controls[-2]
        if low.number == CHUNK_CONTROL and high.number == CHUNK_CONTROL - 1:
            return low.time, high.value << 7 | low.value
    return -1, -1


def mend_ends(tracks: Tracks) -> None:
    """Let each note end where its pitch is struck again on its track, at the latest, or where the track ends.

    Where the end of a note is missing, symusic gives it that of the next note of its pitch, and so on. In a line, whose
    notes follow one another, a note without an end lasts to the next one, or it would cover those below it.
    """
    overlapping = _overlapping(tracks)
    # How long a drum sounds says nothing.
    tuned = {i for i in overlapping if not tracks.tracks[i].drums}
    chosen = sorted(tuned.union(tracks.open()))
    for _, batch in itertools.groupby(chosen, lambda i: tracks.tracks[i].span.stop // _BATCH):
        own = [tracks.tracks[i] for i in batch]
        for track, end in zip(own, _mended_ends(tracks, own), strict=True):
            tracks.end[track.span] = end


def _overlapping(tracks: Tracks) -> list[int]:
    """Return the tracks in which a note lasts into the next one of its pitch."""
    key = tracks.number << 7 | tracks.pitch & 127
    # NumPy sorts small integers by their digits, which keeps the onsets in order and takes no comparisons.
    order = np.argsort(key.astype(np.uint16) if len(tracks.tracks) <= 512 else key, kind="stable")
    sorted_key = key[order]
    clashes = (tracks.end[order[:-1]] > tracks.start[order[1:]]) & (sorted_key[1:] == sorted_key[:-1])
    return sorted({place >> 7 for place in sorted_key[:-1][clashes].tolist()})


def _mended_ends(tracks: Tracks, own: Sequence[Track]) -> list[Ints]:
    """Return the ends of the notes of some tracks."""
    sizes = [len(track) for track in own]
    number = np.repeat(np.arange(len(own)), sizes)
    start, end, pitch = (
        np.concatenate([notes[track.span] for track in own]) for notes in (tracks.start, tracks.end, tracks.pitch)
    )
    zero = start.min()
    start, end = start - zero, end - zero
    until = np.maximum.reduceat(end, np.cumsum([0, *sizes[:-1]]))
    last = np.array([tick if track.last < 0 else track.last - zero for track, tick in zip(own, until, strict=True)])
    last = last[number]
    open_ended = end > last
    end = np.minimum(end, last)
    span = int(max(start.max(), end.max())) + 1
    # Keys that sort by track, pitch and time: one search serves all notes.
    voice = number << 7 | pitch & 127
    order = np.argsort(voice.astype(np.uint16) if len(own) <= 512 else voice, kind="stable")
    key, begin, final = (voice * span)[order], start[order], last[order]
    within = _after(key) - 1  # The last note of the same track and pitch.
    closing = np.sort(key + end[order])
    first = closing[np.minimum(np.searchsorted(closing, key + begin, side="right"), within)] - key
    after = _after(key + begin)
    again = np.where(after <= within, begin[np.minimum(after, within)], final)
    end[order] = np.maximum(np.minimum(first, again), begin)
    open_ended[order] |= first > again
    # The next onset of the track.
    at = number * span + start
    after = _after(at)
    behind = np.minimum(after, len(at) - 1)
    following = np.where((after < len(at)) & (number[behind] == number), start[behind], last)
    chords = np.append(at[1:] == at[:-1], False)
    overlapping = np.bincount(number, ((end > following) & ~open_ended) + chords.astype(np.int64))
    lines = (overlapping <= _MAX_OVERLAPS * np.array(sizes))[number]
    end = np.where(open_ended & lines, np.minimum(end, following), end)
    return np.split(end + zero, np.cumsum(sizes[:-1]))


def _after(values: Ints) -> Ints:
    """Return for each of some sorted values the place behind the last that equals it."""
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, len(values))
    return np.repeat(ends, np.diff(ends, prepend=0))
