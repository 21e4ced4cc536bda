"""A recording of one voice or one instrument as a score: its notes, on beats that are found or given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from musicae.adapters.shared import meta
from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import name_of
from musicae.formats.music import midi
from musicae.formats.music.parts import Notes
from musicae.formats.music.tempo_map import check_tempo
from musicae.formats.music.tracks import Tracks
from musicae.formats.sound.mono import mono_blocks
from musicae.formats.sound.reading import reading
from musicae.tensors import recorded, sung

__all__ = ["Report", "Transcription", "transcribe"]

Report = Callable[[float, float], None]
"""Called with the seconds of a recording that are done, and of all of it (0 where that is not known)."""

_TICKS = 480  # In a quarter note.
_BAR = 4 * _TICKS
_CLEAR = 0.5  # The share of what sounds that has a pitch in a recording of one voice.
_NEAR = 0.25  # Of a beat by which the first note may be early.


@dataclass(frozen=True)
class Transcription:
    """The notes of a recording, and the beats in it, ``(N,)`` seconds; `notices` is what the user is to know."""

    line: sung.Line
    beats: NDArray[np.float64]
    notices: list[str] = field(default_factory=list)

    @property
    def tempo(self) -> float:
        """Beats a minute."""
        return 60 / float(np.median(np.diff(self.beats)))

    def loaded(self, program: int = 0, semitones: int = 0) -> midi.Loaded:
        """Return a score that begins with the beat of the first note, and keeps all times from there.

        It is to be played by a `program`, 0 .. 127, and so many `semitones` higher.
        """
        place = np.interp([self.line.start, self.line.end], self.beats, np.arange(len(self.beats)))
        first = int(np.floor(place[0, 0] + _NEAR))
        start, end = np.maximum(np.rint(_TICKS * (place - first)).astype(np.int64), 0)
        end = np.maximum(end, start + 1)
        length = int(-(-end.max() // _BAR) * _BAR)
        lasts = np.diff(self.beats)[first : first + length // _TICKS]
        tempos = [[_TICKS * i, 60 / float(beat)] for i, beat in enumerate(lasts)]
        if np.ptp(lasts) < 1e-6:
            tempos = [[0, self.tempo]]
        notes = Notes(start, end, self.line.pitch + semitones, self.line.velocity, np.full(len(start), program))
        how = {**meta.blank("Melody", program), "tempos": tempos}
        score = midi.build([midi.TrackNotes(notes, "Melody", False, program)], how, length, steps_per_beat=_TICKS)
        return midi.Loaded(score, Tracks.of(score), list(self.notices))


def transcribe(file: File, tempo: float | None = None, report: Report | None = None) -> Transcription:
    """Return the notes of a recording of one voice or instrument, of any length.

    `tempo` is in beats a minute; without one the beats are found. Raise MusicaeError for a file that cannot be read,
    or in which no pitch can be followed, and for a tempo that is no music's.
    """
    if tempo is not None:
        check_tempo(tempo)
    with reading(file) as opened:
        whole = (opened.length or 0) / opened.kind.rate
    line = sung.follow(mono_blocks(file, sung.RATE), None if report is None else lambda done: report(done, whole))
    if not len(line.start):
        raise MusicaeError(
            f"{name_of(file)} has no pitch that can be followed; give a recording of one voice or one instrument"
        )
    if tempo is None:
        beats = recorded.beats_of_onsets(line.start, line.velocity / 127, line.seconds)
    else:
        beats = recorded.beats_of_tempo(line.start, tempo, line.seconds)
    notices = []
    if line.clear < _CLEAR:
        notices.append(
            f"only {line.clear:.0%} of {name_of(file)} has a clear pitch: is it one voice or one instrument alone?"
        )
    return Transcription(line, beats, notices)
