"""Melodies: one line of notes <-> one-hot tokens in steps of a sixteenth (Roberts et al., MusicVAE, ICML 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor

from musicae.adapters.shared import lines, meta
from musicae.adapters.shared.score import LINE, RECORDING, ScoreAdapter, tracks_in
from musicae.core import File, Notes, Packed, Roll, Sample, Spec
from musicae.errors import OTHER_BARS, WITH_PRESET, Line, MusicaeError, line_of
from musicae.formats.music import bar_grid, midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.abc import is_abc
from musicae.formats.music.bar_grid import Excerpt, Grid
from musicae.formats.music.kit import MIN_DRUMS
from musicae.formats.sound.heads import is_sound
from musicae.tensors import melody_tokens

__all__ = ["Melody"]

_OTHER_OR_PRESET = Line("choose another with --track, or a preset for drums ", "choose a preset for drums ")

SHIFTS = (-5, 6)
"""The transpositions of `Melody.augment`, in semitones: each key once."""


class Melody(ScoreAdapter):
    """Reads the tune of a MIDI or ABC file as one-hot tokens, and writes tokens as MIDI.

    Channel 0 is a rest, 1 a hold, ``2 + p - low`` the onset of MIDI pitch ``p`` (see `musicae.tensors.melody_tokens`).

    Parameters
    ----------
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    low, high : lowest and highest MIDI pitch; other pitches are moved by octaves.
    """

    suffixes: ClassVar[tuple[str, ...]] = (*midi.SUFFIXES, ".abc")
    writes: ClassVar[tuple[str, ...]] = midi.SUFFIXES
    plays: ClassVar[str] = "melody"
    transcribes: ClassVar[bool] = True
    one_track = True
    attributes = LINE

    def __init__(
        self,
        bars: Annotated[int, Meta(ge=1, le=1024)] = 2,
        steps_per_beat: Annotated[int, Meta(ge=1, le=96)] = 4,
        low: Annotated[int, Meta(ge=0, le=127)] = 21,
        high: Annotated[int, Meta(ge=0, le=127)] = 108,
    ) -> None:
        if low < 0 or high > 127 or high - low < 11:
            raise MusicaeError("[adapter] low and high must span an octave or more within 0..127")
        super().__init__(Spec(melody_tokens.FIRST_ONSET + high - low + 1, (1,), "categorical"), bars, steps_per_beat)
        self.low, self.high = low, high

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return .9 for an ABC file and a MIDI file that is not (almost) all drums; see `Adapter.sniff`."""
        if is_sound(head):
            return RECORDING
        if is_abc(head):
            return 0.9
        tracks = tracks_in(head, file)
        if tracks is None:
            return super().sniff(head, file)
        return 0.9 if score_parts.share_of_drums(tracks) < MIN_DRUMS else 0.4

    def from_score(
        self, loaded: midi.Loaded, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return the melody of a score, from `track` or the track that `pick` chooses; see `read`.

        The tensor is ``(C, T)``, from the bar of the first note to the end of the bar of the last.
        """
        remarks: list[str] = []
        part, line, found = self._line(loaded, track, bars, remarks)
        tensor = melody_tokens.one_hot(torch.from_numpy(self._tokens(line, found, remarks)), self.spec.channels)
        grid = bar_grid.complete(found, loaded.score, self.steps_per_beat, self.spec.shape[0])
        return Sample(tensor, _meta_of(line, grid, part.name, source), grid.hop, remarks + grid.remarks)

    def pack_score(self, loaded: midi.Loaded, track: str | int | None) -> Packed:
        """Return the tokens of the melody of a score, on straight steps even if it swings."""
        _, line, found = self._line(loaded, track, None)
        tokens = self._tokens(line, found, None)
        _, numerator, denominator = found.meters[0]
        sounding, onset = tokens != melody_tokens.REST, tokens >= melody_tokens.FIRST_ONSET
        return Packed(tokens, onset, sounding, 4 * self.steps_per_beat * numerator / denominator)

    def _line(
        self, loaded: midi.Loaded, track: str | int | None, bars: str | int | None, remarks: list[str] | None = None
    ) -> tuple[score_parts.Part, score_parts.Notes, Excerpt]:
        """Return the part of the melody, its notes in steps, and where they lie; `remarks` are added to if given."""
        score = loaded.score
        available = score_parts.parts(loaded.tracks)
        part, why = _choose(available, track)
        notes = lines.skyline(part.notes(), score.ticks_per_quarter / self.steps_per_beat)
        spans = score_parts.spans(available)
        found = bar_grid.place(
            score, notes.start, notes.end, bars=bars, steps_per_beat=self.steps_per_beat, tracks=spans
        )
        if remarks is not None:
            found = bar_grid.with_swing(found, score, score_parts.merge(available).start)
            remarks += why
            if dropped := part.count - len(notes.start):
                remarks.append(f"{dropped} of {part.count} notes are below a higher one and were left out")
        line = lines.quantise(notes, found, self.steps_per_beat, remarks)
        if not len(line.start):
            raise MusicaeError(line_of(f"bars '{bars}' have no notes in track {part}; ", OTHER_BARS))
        return part, line, found

    def _tokens(self, line: score_parts.Notes, found: Excerpt, remarks: list[str] | None) -> NDArray[np.uint8]:
        pitch = lines.in_range(line.pitch, self.low, self.high, remarks)
        return melody_tokens.from_notes(line.start, line.end, pitch - self.low, found.length)

    def write(self, sample: Sample, file: File) -> None:
        """Write a melody ``(C, T)`` (one-hot or logits: the largest counts) as a type-1 MIDI file.

        A hold without a note before it is a rest.

        Raises
        ------
        MusicaeError : the folder is missing or cannot be written.
        """
        tokens = melody_tokens.tokens(sample.tensor.detach().cpu())
        start, end, pitch = (values.numpy() for values in melody_tokens.notes(tokens))
        steps, programs = zip(*sample.meta["programs"], strict=True)
        active = np.searchsorted(steps, start, side="right") - 1
        loud = meta.velocities(sample.meta, 1, len(tokens), self.steps_per_beat)[0, start]
        notes = score_parts.Notes(start, end, pitch + self.low, loud, np.asarray(programs)[np.maximum(active, 0)])
        track = midi.TrackNotes(notes, sample.meta["track"], drums=False, program=programs[0])
        score = midi.build([track], sample.meta, len(tokens), steps_per_beat=self.steps_per_beat)
        midi.save(score, file, sample.meta.get("encoding", ""))

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a melody that came from no file: 120 quarter notes a minute, 4/4, piano."""
        return meta.blank("Melody")

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Transpose each one-hot example of ``(B, C, T)`` by its own number of semitones, -5..6.

        An example that would leave the range of pitches is moved as far as it can go.
        """
        semitones = torch.randint(SHIFTS[0], SHIFTS[1] + 1, (len(batch), 1), generator=generator).to(batch.device)
        channels = batch.shape[1]
        return melody_tokens.one_hot(
            melody_tokens.transpose(melody_tokens.tokens(batch), semitones, channels), channels
        ).to(batch.dtype)

    def canonical(self, data: Tensor) -> Tensor:
        """Return token windows ``(N, T)``, two of which are equal if and only if one is the other transposed."""
        return melody_tokens.canonical(data)

    def onsets(self, x: Tensor) -> Tensor:
        """Return where notes begin in ``(N, C, T)``: ``(N, C - 2, T)``, a row for each pitch."""
        return melody_tokens.onsets(x)

    def notes(self, x: Tensor, part: str) -> Notes:
        """Return the notes of ``(N, C, T)``."""
        return Notes(melody_tokens.onsets(x) > 0, self.steps_per_beat, self.low)

    def sounding(self, x: Tensor) -> Tensor:
        """Return at which steps of ``(N, C, T)`` a note begins or goes on: ``(N, T)``, bool."""
        return melody_tokens.sounding(x)

    def rolls(self, sample: Sample) -> list[Roll]:
        """Return one piano roll, the notes of the melody at their MIDI pitches."""
        start, end, pitch = melody_tokens.notes(melody_tokens.tokens(sample.tensor))
        notes = zip(start.tolist(), (end - start).tolist(), (pitch + self.low).tolist(), strict=True)
        return [Roll(list(notes), sample.tensor.shape[-1], self.steps_per_beat, meters=sample.meta["meters"])]


def _meta_of(line: score_parts.Notes, grid: Grid, track: str, source: str) -> dict[str, Any]:
    """Return the `meta` of a line of notes, in steps."""
    velocities = np.zeros(grid.length, np.int64)
    velocities[line.start] = line.velocity
    return {
        "tempos": grid.tempos,
        "meters": grid.meters,
        "programs": lines.programs(line),
        "keys": grid.keys,
        "swing": grid.swing,
        "track": track or "Melody",
        "source": source,
        "velocities": velocities.tolist(),
    }


def _choose(available: Sequence[score_parts.Part], track: str | int | None) -> tuple[score_parts.Part, list[str]]:
    if not available:
        raise MusicaeError("it has no notes; give a file with a tune")
    if track is not None:
        available = score_parts.select(available, track)
        if all(part.drums for part in available):
            raise MusicaeError(line_of(f"track {available[0]} is drums; ", _OTHER_OR_PRESET, WITH_PRESET))
    tuned = [part for part in available if not part.drums]
    if not tuned:
        raise MusicaeError(line_of("it has only drums; choose a preset for drums ", WITH_PRESET))
    return lines.pick(tuned)
