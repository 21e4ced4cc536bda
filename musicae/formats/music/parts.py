"""The parts of a score: its tracks, as a musician counts them, and their notes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicae.errors import MusicaeError
from musicae.formats.music.midi_bytes import CHUNK_CONTROL
from musicae.formats.music.percussion import share_in_kit

if TYPE_CHECKING:
    from symusic.core import ScoreTick, TrackTick

__all__ = ["Notes", "Part", "has_open_notes", "mend_ends", "merge", "parts", "select", "share_of_drums"]

Ints = NDArray[np.int64]

_BATCH = 100_000  # Notes that are mended at once: enough to be quick, and of little memory.
_MAX_SHOWN = 80  # Characters of a name in messages.
_MAX_OVERLAPS = 0.05  # Share of the notes of a line that may overlap the next.
_MAX_COMPARED, _COMPARISON = 30_000_000, 6000  # Notes compared to join tracks; how many a comparison counts itself.
_MIN_CHANNELS = 3  # From so many channels of one chunk and program on, they may be one instrument.
_STRUNG = range(24, 40)  # The programs of guitars and basses.
_MAX_EFFECT = 0.1  # Share of the variance in pitch between the channels of one instrument (epsilon squared).
_MIN_IN_KIT = 0.8  # Share of the notes of a track named drums that must be those of a drum kit.
_DRUM_NAMES = re.compile(
    r"\bdrum|drum ?(kit|set|s\b)|\bkit\b|percus|perkus|schlagzeug|batter[iy]|\bbater[ií]a|trommel|trummor|rummut|"
    r"ударн|барабан|перкусс|ドラム|パーカッション|打楽器|鼓|드럼|타악",
    re.IGNORECASE,
)
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
        return (
            f"{self.number} {self.name[:_MAX_SHOWN] or 'unnamed'} ({'drums, ' if self.drums else ''}{self.count} notes)"
        )


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
    - of one chunk with one program, if they are the channels of one instrument: one for each note (MPE) or string.

    A track is drums if it is on channel 10, or is named so and has nearly only the pitches of a drum kit.
    """
    groups: list[list[TrackTick]] = []
    named: dict[str, list[int]] = {}
    tracks = [track for track in score.tracks if len(track.notes)]
    keys = [_chunk_key(track) for track in tracks]
    channels: dict[tuple[int, int, str], list[TrackTick]] = {}
    for track, key in zip(tracks, keys, strict=True):
        if key is not None:
            channels.setdefault(key, []).append(track)
    instruments = {key for key, own in channels.items() if len(own) >= _MIN_CHANNELS and _is_one_instrument(own)}
    placed: dict[tuple[int, int, str], int] = {}
    spans: dict[int, tuple[Ints, Ints]] = {}
    left = _MAX_COMPARED
    for track, key in zip(tracks, keys, strict=True):
        if key is not None and key in placed:
            groups[placed[key]].append(track)
            continue
        if key is not None and key in instruments:
            placed[key] = len(groups)
            groups.append([track])
            continue
        same = named.setdefault(track.name, []) if not track.is_drum else []
        span = _span(track)
        for index in same if len(same) < 16 else []:
            left -= _COMPARISON + len(spans[index][0]) + len(span[0])
            changed = all(track.program != one.program for one in groups[index])
            if left > 0 and _take_turns(spans[index], span, changed):
                groups[index].append(track)
                spans[index] = _joined(spans[index], span)
                break
        else:
            spans[len(groups)] = span
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
    if len(controls) < 2 or [controls[-2].number, controls[-1].number] != [CHUNK_CONTROL - 1, CHUNK_CONTROL]:
        return None
    return controls[-1].time


def _is_one_instrument(tracks: Sequence[TrackTick]) -> bool:
    """Tell whether channels of one chunk and program are the strings of a guitar, or the notes of a controller (MPE).

    Each is a line then. Of other instruments than guitars and basses they must be alike in pitch, as parts are not.
    """
    arrays = [track.notes.numpy() for track in tracks]
    for notes in arrays:
        start, end = notes["time"], np.maximum.accumulate(notes["time"] + notes["duration"])
        if np.count_nonzero(end[:-1] > start[1:]) > _MAX_OVERLAPS * len(start):
            return False
    if tracks[0].program in _STRUNG:
        return True
    pitches = [notes["pitch"].astype(np.float64) for notes in arrays]
    joined = np.concatenate(pitches)
    free = len(joined) - len(pitches)
    within = sum(float(((one - one.mean()) ** 2).sum()) for one in pitches)
    return free > 0 and within / free >= (1 - _MAX_EFFECT) * float(joined.var(ddof=1))


def _is_named_drums(tracks: Sequence[TrackTick]) -> bool:
    """Tell whether tracks off channel 10 are drums by their name, and by the pitches of a drum kit.

    A tune may be called "The Little Drummer".
    """
    name = tracks[0].name
    if tracks[0].program in _TUNED_DRUMS or not _DRUM_NAMES.search(name) or _PITCHED_DRUM_NAMES.search(name):
        return False
    pitch = np.concatenate([track.notes.numpy()["pitch"] for track in tracks])
    return share_in_kit(pitch) >= _MIN_IN_KIT


def mend_ends(score: ScoreTick) -> None:
    """Let each note end where its pitch is struck again on its track, at the latest, or where the track ends.

    Where the end of a note is missing, symusic gives it that of the next note of its pitch, and so on. In a line, whose
    notes follow one another, a note without an end lasts to the next one, or it would cover those below it.
    """
    tracks = [track for track in score.tracks if len(track.notes)]
    arrays = [track.notes.numpy() for track in tracks]
    # How long a drum sounds says nothing.
    chosen = [i for i, one in enumerate(tracks) if _is_open(one) or (not one.is_drum and _has_overlaps(arrays[i]))]
    done = np.cumsum([len(array["time"]) for array in arrays])
    for _, batch in itertools.groupby(chosen, lambda i: int(done[i]) // _BATCH):
        _mend([tracks[i] for i in batch])


def _mend(tracks: Sequence[TrackTick]) -> None:
    from symusic.core import NoteTickList

    arrays = [track.notes.numpy() for track in tracks]
    ends = _mended_ends(arrays, [_end_of(track) for track in tracks])
    for track, notes, end in zip(tracks, arrays, ends, strict=True):
        duration = (end - notes["time"]).astype(np.int32)
        track.notes = NoteTickList.from_numpy(notes["time"], duration, notes["pitch"], notes["velocity"])


def _has_overlaps(notes: Mapping[str, NDArray[Any]]) -> bool:
    """Tell whether a note, of those of a track in order of onset, lasts into the next one of its pitch."""
    start, pitch = notes["time"], notes["pitch"]
    order = np.argsort(pitch, kind="stable")
    end = (start + notes["duration"])[order]
    return bool(((pitch[order][1:] == pitch[order][:-1]) & (end[:-1] > start[order][1:])).any())


def _mended_ends(tracks: Sequence[Mapping[str, NDArray[Any]]], lasts: Sequence[int | None]) -> list[Ints]:
    """Return the ends of the notes of tracks, which are in order of onset; `lasts` is where tracks end, if known."""
    sizes = [len(notes["time"]) for notes in tracks]
    number = np.repeat(np.arange(len(tracks)), sizes)
    start, duration, pitch = (
        np.concatenate([notes[key] for notes in tracks]).astype(np.int64) for key in ("time", "duration", "pitch")
    )
    zero = start.min()
    start, end = start - zero, start - zero + duration
    until = np.maximum.reduceat(end, np.cumsum([0, *sizes[:-1]]))
    last = np.array([tick if known is None else known - zero for known, tick in zip(lasts, until, strict=True)])[number]
    open_ended = end > last
    end = np.minimum(end, last)
    span = int(max(start.max(), end.max())) + 1
    # Keys that sort by track, pitch and time: one search serves all notes.
    key = (number << 7 | pitch & 127) * span
    order = np.argsort(key, kind="stable")
    key, begin, final = key[order], start[order], last[order]
    within = np.searchsorted(key, key, side="right") - 1  # The last note of the same track and pitch.
    closing = np.sort(key + end[order])
    first = closing[np.minimum(np.searchsorted(closing, key + begin, side="right"), within)] - key
    after = np.searchsorted(key + begin, key + begin, side="right")
    again = np.where(after <= within, begin[np.minimum(after, within)], final)
    end[order] = np.maximum(np.minimum(first, again), begin)
    open_ended[order] |= first > again
    # The next onset of the track.
    at = number * span + start
    after = np.searchsorted(at, at, side="right")
    behind = np.minimum(after, len(at) - 1)
    following = np.where((after < len(at)) & (number[behind] == number), start[behind], last)
    chords = np.append(at[1:] == at[:-1], False)
    overlapping = np.bincount(number, ((end > following) & ~open_ended) + chords.astype(np.int64))
    lines = (overlapping <= _MAX_OVERLAPS * np.array(sizes))[number]
    end = np.where(open_ended & lines, np.minimum(end, following), end)
    return np.split(end + zero, np.cumsum(sizes[:-1]))


def has_open_notes(score: ScoreTick) -> bool:
    """Tell whether a score has notes that end after their track does: those without an end (see `MidiBytes.dump`)."""
    return any(_is_open(track) for track in score.tracks if len(track.notes))


def _is_open(track: TrackTick) -> bool:
    last = _end_of(track)
    return last is not None and track.end() > last


def merge(chosen: Sequence[Part]) -> Notes:
    """Return the notes of several parts together, in ticks, sorted by onset."""
    return _notes([track for part in chosen for track in part.tracks])


def _span(track: TrackTick) -> tuple[Ints, Ints]:
    """Return the onsets and the ends of a track's notes, sorted."""
    notes = track.notes.numpy()
    start = notes["time"].astype(np.int64)
    return start, np.sort(start + np.maximum(notes["duration"], 1))


def _joined(first: tuple[Ints, Ints], second: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    start, end = (np.sort(np.concatenate(pair), kind="stable") for pair in zip(first, second, strict=True))
    return start, end


def _take_turns(first: tuple[Ints, Ints], second: tuple[Ints, Ints], changed: bool) -> bool:
    """Tell whether at most one onset in twenty falls while the other side sounds; each is as `_span` returns it.

    Of one program, which more often are two parts, it must be so for the side of fewer notes alone.
    """
    clashes = 0
    for (start, end), (onset, _) in ((first, second), (second, first)):
        begun = np.searchsorted(start, onset, side="right")
        ended = np.searchsorted(end, onset, side="right")
        clashes += int(np.count_nonzero(begun > ended))
    counts = [len(first[0]), len(second[0])]
    return clashes <= (sum(counts) if changed else 2 * min(counts)) / 20


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
