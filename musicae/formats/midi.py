"""MIDI files <-> scores and note arrays, for every adapter that reads them. The parser is symusic."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats import abc, bar_grid
from musicae.formats.files import check_input, name_of, output, suffix_of

if TYPE_CHECKING:
    from symusic.core import ScoreTick, TrackTick

__all__ = [
    "Notes",
    "Part",
    "build",
    "is_midi",
    "load",
    "merge",
    "parts",
    "save",
    "select",
    "share_of_drums",
]

Ints = NDArray[np.int64]


class Notes(NamedTuple):
    """Notes in the order of their onsets: ``(N,)`` each; `start` and `end` in ticks or steps."""

    start: Ints
    end: Ints
    pitch: Ints
    velocity: Ints
    program: Ints


# --- files -> scores -----------------------------------------------------------------------------------------------


def is_midi(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is a MIDI file, plain or in a RIFF container (``.rmi``)."""
    return head[:4] == b"MThd" or (head[:4] == b"RIFF" and head[8:12] == b"RMID")


def load(file: File) -> tuple[ScoreTick, list[str]]:
    """Read a MIDI or ABC file; its content decides which it is, or else its suffix.

    Returns
    -------
    The score, and remarks: a line for each choice.

    Raises
    ------
    MusicaeError : a file that is missing, empty, cut short, or not MIDI (or ABC).
    """
    named_abc = suffix_of(file) == ".abc"
    check_input(file, "an ABC file" if named_abc else "a MIDI file with notes")
    data = file.read() if not isinstance(file, Path) else file.read_bytes()
    if not is_midi(data) and (named_abc or abc.is_abc(data)):
        return abc.load(data, name_of(file))
    return _load_midi(data, name_of(file))


def _load_midi(data: bytes, name: str) -> tuple[ScoreTick, list[str]]:
    from symusic.core import ScoreTick

    remarks: list[str] = []
    if not is_midi(data):
        raise MusicaeError(f"{name} is not a MIDI file (it does not start with MThd); export it as .mid first")
    if data[:4] == b"RIFF":
        data = data[20:]  # After "RIFF", its size, "RMID", "data" and its size.
    if len(data) < 14:
        raise MusicaeError(f"{name} is cut short inside its header; get the file again")
    _, style, _, division = struct.unpack(">IHHH", data[4:14])
    if division == 0 or division & 0x8000:
        raise MusicaeError(f"{name} counts time in frames, not in beats; export it with ticks per quarter note")
    if style == 2:
        data = _first_pattern(data)
        remarks.append("a type-2 file holds separate patterns; the first one with notes was taken")
    try:
        return ScoreTick.from_midi(data), remarks
    except (RuntimeError, ValueError) as error:
        what = "cut short" if re.search("EOF|chunk length|size", str(error)) else "damaged"
        raise MusicaeError(f"{name} is {what} and cannot be read as MIDI; get the file again") from None


def _first_pattern(data: bytes) -> bytes:
    """Return a type-0 file of the first track of `data` that has a note; symusic would play all tracks at once."""
    from symusic.core import ScoreTick

    at, chosen = 8 + int.from_bytes(data[4:8], "big"), b""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        chunk = data[at : at + 8 + size]
        if chunk[:4] == b"MTrk":
            pattern = b"MThd" + struct.pack(">IHH", 6, 0, 1) + data[12:14] + chunk
            chosen = chosen or pattern
            with contextlib.suppress(RuntimeError, ValueError):
                if ScoreTick.from_midi(pattern).note_num():
                    return pattern
        at += 8 + size
    return chosen or data


# --- scores -> parts -----------------------------------------------------------------------------------------------


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
    """Return the tracks that have notes.

    symusic splits a track at each program change. Tracks of one name and different programs that (almost)
    never sound at once are joined again.
    """
    groups: list[list[TrackTick]] = []
    named: dict[str, list[int]] = {}
    for track in score.tracks:
        if not len(track.notes):
            continue
        same = named.setdefault(track.name, []) if not track.is_drum else []
        for index in same if len(same) < 16 else []:
            if all(track.program != t.program for t in groups[index]) and _take_turns(groups[index], track):
                groups[index].append(track)
                break
        else:
            same.append(len(groups))
            groups.append([track])
    return [
        Part(
            number,
            tracks[0].name.strip("\0 \t\r\n"),
            tracks[0].is_drum,
            sum(len(t.notes) for t in tracks),
            tuple(tracks),
        )
        for number, tracks in enumerate(groups, start=1)
    ]


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
    """Return the share of a score's notes on the drum channel (10); 0 for one without notes."""
    drums = sum(len(track.notes) for track in score.tracks if track.is_drum)
    return drums / max(1, score.note_num())


# --- notes -> files ------------------------------------------------------------------------------------------------


def build(notes: Notes, meta: dict[str, Any], length: int, *, steps_per_beat: int, drums: bool) -> ScoreTick:
    """Return a score of `notes` (in steps) with the tempo map, meters, keys and programs of `meta`.

    `meta` is a sample's (see `musicae.adapters.shared.meta`), `length` the sample's in steps. Each program gets its own
    track, all with the same name.
    """
    from symusic.core import KeySignatureTick, NoteTickList, ScoreTick, TempoTick, TimeSignatureTick, TrackTick

    step = max(1, round(480 / steps_per_beat))
    score = ScoreTick(step * steps_per_beat)
    meta = {**meta, **{name: [e for e in meta[name] if e[0] < length] for name in ("tempos", "meters", "keys")}}
    for at, qpm in meta["tempos"]:
        score.tempos.append(TempoTick(at * step, mspq=round(6e7 / qpm)))
    for at, n, d in meta["meters"]:
        score.time_signatures.append(TimeSignatureTick(at * step, n, d))
    for at, key, tonality in meta["keys"]:
        score.key_signatures.append(KeySignatureTick(at * step, key, tonality))
    for program in sorted(set(notes.program.tolist()), key=notes.program.tolist().index) or [meta["programs"][0][1]]:
        own = notes.program == program
        track = TrackTick(meta["track"], program, drums)
        start, end = notes.start[own] * step, notes.end[own] * step
        track.notes = NoteTickList.from_numpy(
            start.astype(np.int32),
            (end - start).astype(np.int32),
            notes.pitch[own].astype(np.int8),
            notes.velocity[own].astype(np.int8),
        )
        score.tracks.append(track)
    if len(notes.start) and length <= bar_grid.MAX_STEPS:  # Longer ones are read in parts anyway.
        _mark_ends(score, notes, length, steps_per_beat, step)
    return score


def _mark_ends(score: ScoreTick, notes: Notes, length: int, steps_per_beat: int, step: int) -> None:
    """Set markers where reading would otherwise leave out empty bars at the start or the end."""
    from symusic.core import TextMetaTick

    start, end = np.sort(notes.start) * step, notes.end * step
    grid = bar_grid.build_grid(score, start, end, bars=None, steps_per_beat=steps_per_beat, window=length)
    if grid.start != 0:
        score.markers.append(TextMetaTick(0, bar_grid.START))
    if grid.start + grid.length * step != length * step:
        score.markers.append(TextMetaTick(length * step, bar_grid.END))


def save(score: ScoreTick, file: File) -> None:
    """Write a type-1 MIDI file; at a path it appears complete or not at all.

    Raises
    ------
    MusicaeError : the folder is missing or cannot be written.
    """
    with output(file) as opened:
        opened.write(score.dumps_midi())
