"""The drums of a MIDI file, note by note: as a groove, and put back into the file with other timing and loudness."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.errors import OTHER_BARS, OTHER_TRACK, MusicaeError, line_of
from musicae.formats.files import check_input, name_of
from musicae.formats.music import bar_grid, midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.bar_grid import Grid
from musicae.formats.music.kit import choose_parts
from musicae.formats.music.percussion import CLASS_OF
from musicae.formats.music.retiming import Move, Struck, retimed
from musicae.formats.music.swing import is_straight, swung
from musicae.tensors.groove import DRUMS, HITS, OFFSETS, VELOCITIES

__all__ = ["DrumTrack", "to_groove"]

_LOUD = 127.0
_ON_GRID = 0.25  # Steps from the grid up to which a hit is meant to be on it; others are parts of rolls and triplets.


def to_groove(
    places: NDArray[np.floating],
    steps: NDArray[np.int64],
    length: int,
    pitch: NDArray[np.int64],
    loud: NDArray[np.int64],
) -> tuple[NDArray[np.float32], int]:
    """Return the groove ``(27, L)`` of hits, and how many of them fell on another.

    `places` are where the hits lie, in steps, and `steps` those they belong to. Of hits of one class on one step the
    loudest stays.
    """
    inside = (steps >= 0) & (steps < length) & (loud > 0)
    order = np.flatnonzero(inside)[np.argsort(loud[inside], kind="stable")]  # The loudest comes last, and stays.
    row, at = CLASS_OF[pitch[order]], steps[order]
    values = np.zeros((3 * DRUMS, length), np.float32)
    values[HITS][row, at] = 1.0
    values[VELOCITIES][row, at] = loud[order] / _LOUD
    values[OFFSETS][row, at] = places[order] - at
    return values, len(order) - int(values[HITS].sum())


@dataclass(frozen=True)
class DrumTrack:
    """The drums of a file: of each note where it is there, its class, its velocity and its place on the grid, in steps.

    The grid swings as the drums do. `alone` says that the file has no other notes.
    """

    data: bytes
    name: str
    grid: Grid
    struck: list[Struck]
    row: NDArray[np.int64]
    velocity: NDArray[np.int64]
    place: NDArray[np.floating]
    step: NDArray[np.int64]
    groove: NDArray[np.float32]
    alone: bool

    @classmethod
    def read(cls, file: File, track: str | int | None, bars: str | int | None, steps_per_beat: int) -> DrumTrack:
        """Read a file; `track` and `bars` choose what of it. Raise MusicaeError where it has no drums there."""
        check_input(file, "a MIDI file with drums")
        data, name = file.read_bytes() if isinstance(file, Path) else file.read(), name_of(file)
        loaded = midi.load(io.BytesIO(data))
        try:
            return cls._of(data, name, loaded, track, bars, steps_per_beat)
        except MusicaeError as error:
            raise MusicaeError(line_of(f"{name}: ", error)) from None

    @classmethod
    def _of(
        cls,
        data: bytes,
        name: str,
        loaded: midi.Loaded,
        track: str | int | None,
        bars: str | int | None,
        steps_per_beat: int,
    ) -> DrumTrack:
        chosen, _ = choose_parts(score_parts.parts(loaded.tracks), track)
        own = [loaded.tracks.tracks[i] for part in chosen for i in part.tracks]
        start, pitch, velocity = (
            np.concatenate([values[one.span] for one in own])
            for values in (loaded.tracks.start, loaded.tracks.pitch, loaded.tracks.velocity)
        )
        struck = [
            Struck(one.chunk, one.drums, *note)
            for one in own
            for note in zip(loaded.tracks.start[one.span].tolist(), loaded.tracks.pitch[one.span].tolist(), strict=True)
        ]
        known = np.flatnonzero((CLASS_OF[pitch] >= 0) & (velocity > 0))
        if not len(known):
            raise MusicaeError(line_of("its drum track has no General MIDI percussion (27..87); ", OTHER_TRACK))
        known = known[np.argsort(start[known], kind="stable")]
        start, pitch, velocity = start[known], pitch[known], velocity[known]
        found = bar_grid.place(loaded.score, start, start + 1, bars=bars, steps_per_beat=steps_per_beat)
        found = bar_grid.with_swing(found, loaded.score, start)
        grid = bar_grid.complete(found, loaded.score, steps_per_beat, found.length)
        place, step = grid.places(start), grid.steps(start)
        inside = (step >= 0) & (step < grid.length)
        if not inside.any():
            raise MusicaeError(line_of(f"bars '{bars}' have no drums; ", OTHER_BARS))
        groove, _ = to_groove(place, step, grid.length, pitch, velocity)
        kept = np.flatnonzero(inside)
        return cls(
            data,
            name,
            grid,
            [struck[known[i]] for i in kept],
            CLASS_OF[pitch[kept]],
            velocity[kept],
            place[kept],
            step[kept],
            groove,
            len(struck) == len(loaded.tracks.start),
        )

    def with_groove(self, made: NDArray[np.float32], amount: float) -> bytes:
        """Return the file with the timing and the loudness of a groove ``(27, L)`` at its hits, and all else as it was.

        Of several notes on one step and drum all are moved alike. What is far from the grid stays as far from it.
        `amount` is how much of the way everything goes, 0 to 1.
        """
        if not amount:
            return self.data
        at = (self.row, self.step)
        main = self.groove[OFFSETS][at]
        apart = np.where(np.abs(main) > _ON_GRID, self.place - self.step, self.place - self.step - main)
        place = self.place + amount * (self.step + made[OFFSETS][at] + apart - self.place)
        loud = self.velocity * made[VELOCITIES][at] / np.maximum(self.groove[VELOCITIES][at], 1 / _LOUD)
        loud = np.rint(self.velocity + amount * (loud - self.velocity)).clip(1, _LOUD).astype(np.int64)
        played = place if is_straight(self.grid.swing) else swung(place, self.grid.swing, self.grid.steps_per_beat)
        ticks = self.grid.start + self.grid.step * played
        moves = {
            struck: Move(tick, velocity)
            for struck, tick, velocity in zip(self.struck, ticks.tolist(), loud.tolist(), strict=True)
        }
        return retimed(self.data, self.name, moves)
