"""Write down the notes of a recording of one voice or one instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musicae.adapters.shared.score import is_recording
from musicae.adapters.shared.transcription import Report, Transcription
from musicae.adapters.shared.transcription import transcribe as transcribed
from musicae.core import File, Source
from musicae.errors import MusicaeError
from musicae.formats.music import midi
from musicae.formats.music.instruments import program_of
from musicae.formats.music.transposing import check_semitones
from musicae.ops.inputs import as_file, check_file, name_of
from musicae.tensors.musical import key_name, key_of, pitch_name

__all__ = ["Transcript", "transcribe"]


@dataclass(frozen=True)
class Transcript:
    """The notes of a recording, so many `semitones` higher, to be played by a General MIDI `program`, 0 .. 127.

    `notices` is what the user is to know.
    """

    transcription: Transcription
    semitones: int = 0
    program: int = 0
    notices: list[str] = field(default_factory=list)

    @property
    def tempo(self) -> float:
        """Beats a minute."""
        return self.transcription.tempo

    @property
    def tuning(self) -> float:
        """By how many cents the voice is higher than concert pitch (A4 = 440 Hz), lower under 0."""
        return 100 * self.transcription.line.tuning

    @property
    def pitch(self) -> NDArray[np.int64]:
        """The MIDI pitches of the notes, ``(N,)``."""
        return self.transcription.line.pitch + self.semitones

    @property
    def key(self) -> str:
        """The key, such as ``"F major"``, empty where none is clear."""
        line, durations = self.transcription.line, np.zeros(12)
        np.add.at(durations, self.pitch % 12, line.end - line.start)
        found = key_of(torch.from_numpy(durations))
        return key_name(*found) if found else ""

    def notes(self) -> list[dict[str, Any]]:
        """Return each note: when it begins and ends in the recording, in seconds, its MIDI pitch, name and velocity."""
        line = self.transcription.line
        rows = zip(line.start.tolist(), line.end.tolist(), self.pitch.tolist(), line.velocity.tolist(), strict=True)
        return [
            {"start": round(a, 3), "end": round(b, 3), "pitch": pitch, "name": pitch_name(pitch), "velocity": loud}
            for a, b, pitch, loud in rows
        ]

    def save(self, file: File) -> None:
        """Write the notes as a MIDI file that begins with the beat of the first one."""
        score = self.transcription.loaded(self.program, self.semitones).score
        midi.save(score, file)


def transcribe(
    source: Source,
    tempo: float | None = None,
    *,
    program: Sequence[str] = (),
    transpose: int = 0,
    report: Report | None = None,
) -> Transcript:
    """Return the notes of a recording of one voice or one instrument.

    Parameters
    ----------
    source : a sound file of any length, a path or a stream.
    tempo : in beats a minute; without one the beats are found.
    program : the instrument to write, by its number from 1 or its name; the last one counts.
    transpose : how many semitones higher the notes are written; lower if negative.
    report : called with the seconds that are done, and of the whole.

    Raises
    ------
    MusicaeError : a file that cannot be read, that is no recording, or in which no pitch can be followed; a tempo, an
        instrument or a transposition that does not exist.
    """
    check_semitones(transpose)
    number = program_of(program[-1]) if program else 0
    file = as_file(source)
    if isinstance(file, Path):
        check_file(file)
    if not is_recording(file):
        raise MusicaeError(f"{name_of(source)} is no recording; give a sound file, such as .wav or .mp3")
    found = transcribed(file, tempo, report)
    return Transcript(found, transpose, number, list(found.notices))
