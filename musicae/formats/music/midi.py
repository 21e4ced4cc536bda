"""MIDI files <-> scores: reading them, whatever is odd about them, and writing them. The parser is symusic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import check_input, name_of, output, suffix_of
from musicae.formats.music import abc, abc_chords, bar_grid, chord_marks, midi_bytes
from musicae.formats.music.bar_grid import mark_swing
from musicae.formats.music.chord_marks import Marks
from musicae.formats.music.midi_bytes import MidiBytes, is_midi
from musicae.formats.music.parts import Notes
from musicae.formats.music.swing import is_straight, swung
from musicae.formats.music.tracks import Ints, Tracks, mend_ends
from musicae.formats.music.transposing import check_semitones, transpose_keys, transposed
from musicae.formats.text import decode_texts
from musicae.memory import check_memory

if TYPE_CHECKING:
    from symusic.core import ScoreTick, TrackTick

__all__ = ["SUFFIXES", "Loaded", "TrackNotes", "build", "is_midi", "load", "save"]

SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".smf")
"""File endings of MIDI."""

_MORE_ENDS, _MAX_CLOSED = 8, 20_000_000  # How many times as many ends to try; up to which size of the file.


class Loaded(NamedTuple):
    """A file as it was read: its `score`, a remark for each choice, and the `encoding` of its names if not UTF-8.

    `tracks` are those with notes, each of which ends where it should; the notes in `score` are as symusic gives them.
    `abc` are the bytes of an ABC file. All but drums was transposed by so many `semitones`.
    """

    score: ScoreTick
    tracks: Tracks
    remarks: list[str]
    encoding: str = ""
    abc: bytes = b""
    semitones: int = 0

    def transposed(self, semitones: int) -> Loaded:
        """Return the file so many semitones higher, its key signatures too; drums stay as they are.

        Raise MusicaeError for more than two octaves.
        """
        check_semitones(semitones)
        if not semitones or not self.tracks.tracks:
            return self
        transpose_keys(self.score, semitones)
        return self._replace(tracks=transposed(self.tracks, semitones), semitones=self.semitones + semitones)

    def chords(self) -> Marks:
        """Return the chords that the file names, with their ticks; none where it names none."""
        named = self._chords()
        return [(tick, chord.transposed(self.semitones)) for tick, chord in named]

    def _chords(self) -> Marks:
        return abc_chords.of_tune(abc.first_tune(self.abc, "")[0]) if self.abc else chord_marks.of_score(self.score)


# --- files -> scores -----------------------------------------------------------------------------------------------


def load(file: File) -> Loaded:
    """Read a MIDI or ABC file; its content decides which it is, or else its suffix.

    Raises
    ------
    MusicaeError : a file that is missing, empty, cut short, too large, or not MIDI (or ABC).
    """
    named_abc = suffix_of(file) == ".abc"
    size = check_input(file, "an ABC file" if named_abc else "a MIDI file with notes")
    check_memory(size, name_of(file))
    data = file.read() if not isinstance(file, Path) else file.read_bytes()
    if not is_midi(data) and (named_abc or abc.is_abc(data)):
        score, remarks = abc.load(data, name_of(file))
        return Loaded(score, Tracks.of(score), remarks, abc=data)
    return _load_midi(data, name_of(file))


def _load_midi(data: bytes, name: str) -> Loaded:
    parsed, encoding = midi_bytes.parse(data, name), ""
    score, tracks, remarks = _score(parsed, name)
    if any("\ufffd" in track.name for track in score.tracks):
        names, found = decode_texts(midi_bytes.names_of(parsed))
        if found != "utf-8":
            encoding = found
            score, tracks, remarks = _score(midi_bytes.with_names(parsed, names), name)
    if parsed.ticks_per_second:
        _set_tempo(score, parsed)
    if tracks.tracks:
        mend_ends(tracks)
    return Loaded(score, tracks, remarks, encoding)


def _score(parsed: MidiBytes, name: str) -> tuple[ScoreTick, Tracks, list[str]]:
    """Return the score of a parsed file, its tracks, and remarks."""
    remarks = list(parsed.remarks)
    try:
        if parsed.style != 2:
            return *_with_ends(parsed), remarks
        remarks.append("a type-2 file holds separate patterns; the first one with notes was taken")
        # symusic would play all of them at once.
        patterns = (_with_ends(replace(parsed, style=0, tracks=[track])) for track in parsed.tracks)
        first = next(patterns)
        chosen = first if first[1].tracks else next((one for one in patterns if one[1].tracks), first)
        return *chosen, remarks
    except (RuntimeError, ValueError):
        raise MusicaeError(f"{name} is damaged and cannot be read as MIDI; get the file again") from None


def _with_ends(parsed: MidiBytes) -> tuple[ScoreTick, Tracks]:
    """Return the score in which every note has an end, however many of a pitch lack one, and its tracks."""
    from symusic.core import ScoreTick

    ends, data = 1, parsed.dump()
    score = ScoreTick.from_midi(data)
    tracks = Tracks.of(score)
    while tracks.open() and len(data) * _MORE_ENDS < _MAX_CLOSED:
        count, ends = len(tracks.start), ends * _MORE_ENDS
        data = parsed.dump(ends=ends)
        score = ScoreTick.from_midi(data)
        tracks = Tracks.of(score)
        if len(tracks.start) == count:
            break
    return score, tracks


def _set_tempo(score: ScoreTick, parsed: MidiBytes) -> None:
    """Give a score whose time is counted in frames the tempo at which its ticks last what they should."""
    from symusic.core import TempoTick, TempoTickList

    score.tempos = TempoTickList()
    score.tempos.append(TempoTick(0, mspq=round(1e6 * parsed.ticks_per_quarter / parsed.ticks_per_second)))


# --- notes -> files ------------------------------------------------------------------------------------------------


class TrackNotes(NamedTuple):
    """A track to write: its notes, in steps, its name, and whether it is drums; `program` is that of an empty one."""

    notes: Notes
    name: str
    drums: bool
    program: int = 0


def build(tracks: Sequence[TrackNotes], meta: dict[str, Any], length: int, *, steps_per_beat: int) -> ScoreTick:
    """Return a score of `tracks` with the tempo map, meters and keys of `meta`.

    `meta` is a sample's (see `musicae.adapters.shared.meta`), `length` the sample's in steps. Each program of a track
    gets a track of its own, all with the same name. Notes are swung as `meta` says.
    """
    from symusic.core import KeySignatureTick, ScoreTick, TempoTick, TimeSignatureTick

    step = max(1, round(480 / steps_per_beat))
    score = ScoreTick(step * steps_per_beat)
    meta = {**meta, **{name: [e for e in meta[name] if e[0] < length] for name in ("tempos", "meters", "keys")}}
    swing = meta.get("swing", [[0, 1.0]])
    when = _ticks(np.array([at for at, _ in meta["tempos"]]), swing, step, steps_per_beat)
    for tick, (_, qpm) in zip(when.tolist(), meta["tempos"], strict=True):
        score.tempos.append(TempoTick(tick, mspq=round(6e7 / qpm)))
    for at, n, d in meta["meters"]:
        score.time_signatures.append(TimeSignatureTick(at * step, n, d))
    for at, key, tonality in meta["keys"]:
        score.key_signatures.append(KeySignatureTick(at * step, key, tonality))
    mark_swing(score, swing, step)
    tracks = [track._replace(notes=_in_ticks(track.notes, swing, step, steps_per_beat)) for track in tracks]
    for track in tracks:
        for made in _tracks_of(track):
            score.tracks.append(made)
    if any(len(track.notes.start) for track in tracks) and length <= bar_grid.MAX_STEPS:
        _mark_ends(score, tracks, meta["meters"], length, steps_per_beat, step)  # Longer ones are read in parts anyway.
    return score


def _ticks(steps: NDArray[Any], swing: Sequence[Sequence[float]], step: int, steps_per_beat: int) -> Ints:
    """Return the ticks of steps, swung; each may be a fraction."""
    played = steps if is_straight(swing) else swung(steps, swing, steps_per_beat)
    ticks: Ints = np.rint(played * step).astype(np.int64)
    return ticks


def _in_ticks(notes: Notes, swing: Sequence[Sequence[float]], step: int, steps_per_beat: int) -> Notes:
    """Return notes in steps with their starts and ends in ticks, swung; each lasts a tick at least."""
    start, end = (_ticks(steps, swing, step, steps_per_beat) for steps in (notes.start, notes.end))
    return notes._replace(start=start, end=np.maximum(end, start + 1))


def _tracks_of(track: TrackNotes) -> Iterator[TrackTick]:
    """Go through the tracks of a score that a track, in ticks, becomes: one for each of its programs."""
    from symusic.core import NoteTickList, TrackTick

    notes = track.notes
    for program in sorted(set(notes.program.tolist()), key=notes.program.tolist().index) or [track.program]:
        own = notes.program == program
        made = TrackTick(track.name, program, track.drums)
        start, end = notes.start[own], notes.end[own]
        made.notes = NoteTickList.from_numpy(
            start.astype(np.int32),
            (end - start).astype(np.int32),
            notes.pitch[own].astype(np.int8),
            notes.velocity[own].astype(np.int8),
        )
        yield made


def _mark_ends(
    score: ScoreTick,
    tracks: Sequence[TrackNotes],
    meters: Sequence[Sequence[int]],
    length: int,
    steps_per_beat: int,
    step: int,
) -> None:
    """Set markers where reading would otherwise leave out empty bars at the start or the end, or find other bar lines.

    `tracks` are in ticks.
    """
    from symusic.core import TextMetaTick

    start = np.sort(np.concatenate([track.notes.start for track in tracks]))
    end = np.concatenate([track.notes.end for track in tracks])
    tuned = [track.notes[:2] for track in tracks if not track.drums]
    grid = bar_grid.build_grid(score, start, end, bars=None, steps_per_beat=steps_per_beat, window=length, tracks=tuned)
    if grid.start != 0 or grid.meters != [list(entry) for entry in meters]:
        score.markers.append(TextMetaTick(0, bar_grid.START))
    if grid.start + grid.length * step != length * step:
        score.markers.append(TextMetaTick(length * step, bar_grid.END))


def save(score: ScoreTick, file: File, encoding: str = "") -> None:
    """Write a type-1 MIDI file; at a path it appears complete or not at all. `encoding` is that of names.

    Raises
    ------
    MusicaeError : the folder is missing or cannot be written.
    """
    data = score.dumps_midi()
    names = [track.name for track in score.tracks if not track.name.isascii()]
    if encoding and names:
        data = midi_bytes.encode_names(data, names, encoding)
    with output(file) as opened:
        opened.write(data)
