"""Grooves <-> hits, loudness and timing of 9 drum classes in steps of a sixteenth (Gillick et al., ICML 2019)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor

from musicae.adapters.shared import meta
from musicae.adapters.shared.hits import details, hits, merged_remark
from musicae.adapters.shared.origin import Rewritten
from musicae.adapters.shared.score import KIT, ScoreAdapter, tracks_in
from musicae.core import File, Notes, Packed, Roll, Sample, Unpacked, Windows
from musicae.errors import OTHER_BARS, MusicaeError, line_of
from musicae.formats.files import output
from musicae.formats.music import bar_grid, midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.bar_grid import Excerpt, Grid
from musicae.formats.music.drum_track import to_groove
from musicae.formats.music.kit import MIN_DRUMS, choose
from musicae.formats.music.percussion import CLASSES
from musicae.tensors import groove
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES

__all__ = ["Groove"]

_LENGTH = 1  # Steps that a written hit lasts.
_LOUD = 127.0
_MINUTE = 60_000.0  # In milliseconds.


class Groove(ScoreAdapter):
    """Reads all drum tracks of a MIDI file as a groove ``(27, T)``, and writes it on channel 10.

    The tensor has hits, their loudness and their offsets from the grid (see `musicae.tensors.groove`), a row for each
    of `CLASSES`. The grid is straight; swing is in the offsets. Of hits of one class on one step the loudest is kept.

    Parameters
    ----------
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    """

    suffixes: ClassVar[tuple[str, ...]] = midi.SUFFIXES
    plays: ClassVar[str] = "drums"
    attributes = (*KIT, "loudness", "swing")

    velocity_rows = len(CLASSES)
    packed_blank: NDArray[Any] | None = np.zeros((groove.ROWS, 1), np.uint8)

    def __init__(
        self, bars: Annotated[int, Meta(ge=1, le=1024)] = 2, steps_per_beat: Annotated[int, Meta(ge=1, le=96)] = 4
    ) -> None:
        super().__init__(groove.spec(1), bars, steps_per_beat)

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return less than the adapter ``drums`` does: a drum file is read by its hits unless a preset is for grooves.

        See `Adapter.sniff`.
        """
        tracks = tracks_in(head, file)
        if tracks is None:
            return 0.7 * super().sniff(head, file)
        return 0.8 if score_parts.share_of_drums(tracks) >= MIN_DRUMS else 0.2

    def from_score(
        self, loaded: midi.Loaded, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return the groove of a score, of one track or of all drum tracks together; see `read`.

        The tensor is ``(27, T)``, from the bar of the first hit to the end of the bar of the last.
        """
        name, notes, remarks = choose(score_parts.parts(loaded.tracks), track)
        found = self._place(loaded, notes, bars)
        places, steps = found.places(notes.start), found.steps(notes.start)
        tensor, merged = to_groove(places, steps, found.length, notes.pitch, notes.velocity)
        remarks += merged_remark(merged)
        grid = bar_grid.complete(found, loaded.score, self.steps_per_beat, self.spec.shape[0])
        about = details(grid, notes, name, source, [])
        return Sample(torch.from_numpy(tensor), about, grid.hop, remarks + grid.remarks)

    def pack_score(self, loaded: midi.Loaded, track: str | int | None) -> Packed:
        """Return the groove of a score as bytes, with the length of each step."""
        _, notes, _ = choose(score_parts.parts(loaded.tracks), track)
        grid = bar_grid.complete(
            self._place(loaded, notes, None), loaded.score, self.steps_per_beat, self.spec.shape[0]
        )
        places, steps = grid.places(notes.start), grid.steps(notes.start)
        tensor, _ = to_groove(places, steps, grid.length, notes.pitch, notes.velocity)
        packed = groove.pack(tensor, self._milliseconds(grid))
        struck: NDArray[np.bool_] = np.logical_or.reduce(packed[HITS] > 0)
        _, numerator, denominator = grid.meters[0]
        return Packed(packed, struck, struck, 4 * self.steps_per_beat * numerator / denominator)

    def unpacked(self, windows: Windows) -> Windows:
        """Return the windows so that they give grooves; their conditions are the lengths of their steps, in ms."""
        steps = windows.data.shape[-1]
        windows.cond = Unpacked(windows.data, (1, steps), groove.durations)
        windows.data = Unpacked(windows.data, (self.spec.channels, steps), groove.unpack)
        windows.channels = self.spec.channels
        return windows

    def _place(self, loaded: midi.Loaded, notes: score_parts.Notes, bars: str | int | None) -> Excerpt:
        """Return the bars of the hits. Raise MusicaeError for bars without any."""
        found = bar_grid.place(
            loaded.score, notes.start, notes.start + 1, bars=bars, steps_per_beat=self.steps_per_beat
        )
        step = found.steps(notes.start)
        if not np.any((step >= 0) & (step < found.length) & (notes.velocity > 0)):
            raise MusicaeError(line_of(f"bars '{bars}' have no drums; ", OTHER_BARS))
        return found

    def _milliseconds(self, grid: Grid) -> NDArray[np.float64]:
        """Return the length of each step of a grid, ``(L,)``."""
        at, qpm = (np.asarray(values, np.float64) for values in zip(*grid.tempos, strict=True))
        playing = np.searchsorted(at, np.arange(grid.length), side="right") - 1
        lengths: NDArray[np.float64] = _MINUTE / qpm[playing] / self.steps_per_beat
        return lengths

    def write(self, sample: Sample, file: File) -> None:
        """Write a groove ``(27, T)`` (hits are values over .5) as a type-1 MIDI file, on channel 10.

        A hit that would come before the file begins is written at its beginning. What a sample's `metadata` says it was
        put into (`Rewritten`) is written as it is.

        Raises
        ------
        MusicaeError : the folder is missing or cannot be written.
        """
        if isinstance(sample.metadata, Rewritten):
            with output(file) as opened:
                opened.write(sample.metadata.data)
            return
        tensor = sample.tensor.detach().cpu()
        step, row = hits(tensor[HITS])
        start = step.numpy() + tensor[OFFSETS][row, step].double().clamp(-groove.MAX_OFFSET, groove.MAX_OFFSET).numpy()
        loud = (_LOUD * tensor[VELOCITIES][row, step]).round().clamp(1, _LOUD).long().numpy()
        pitch = np.asarray([notes[0] for notes in CLASSES.values()])[row.numpy()]
        program = sample.meta["programs"][0][1]
        start = np.maximum(start, 0.0)
        notes = score_parts.Notes(start, start + _LENGTH, pitch, loud, np.full(len(start), program))
        track = midi.TrackNotes(notes, sample.meta["track"], drums=True, program=program)
        score = midi.build([track], sample.meta, tensor.shape[-1], steps_per_beat=self.steps_per_beat)
        midi.save(score, file, sample.meta.get("encoding", ""))

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a groove that came from no file: 120 quarter notes a minute, 4/4."""
        return meta.blank("Drums")

    def notes(self, x: Tensor, part: str) -> Notes:
        """Return the hits of ``(N, 27, T)``."""
        struck = x[:, HITS] > 0
        loudness, late = ((x[:, rows] * struck).sum(1) / struck.sum(1).clamp_min(1) for rows in (VELOCITIES, OFFSETS))
        return Notes(struck, self.steps_per_beat, classes=tuple(CLASSES), loudness=loudness, late=late)

    def rolls(self, sample: Sample) -> list[Roll]:
        """Return one piano roll, with a row for each class, hits where they are played."""
        tensor = sample.tensor.detach().cpu()
        step, row = hits(tensor[HITS])
        start = (step + tensor[OFFSETS][row, step]).tolist()
        struck = [(at, _LENGTH, lane) for at, lane in zip(start, row.tolist(), strict=True)]
        loudness = tensor[VELOCITIES][row, step].clamp(0, 1).tolist()
        length, meters = tensor.shape[-1], sample.meta["meters"]
        return [Roll(struck, length, self.steps_per_beat, tuple(CLASSES), meters, loudness=loudness)]

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return ``(B, 27, T)``, each groove varied; see `musicae.tensors.groove.varied`."""
        return groove.varied(batch, 4 * self.steps_per_beat, generator)

    def canonical(self, data: Tensor) -> Tensor:
        """Return bytes ``(N, ROWS, T)`` without the tempo."""
        return data[:, : 2 * groove.DRUMS]

    def onsets(self, x: Tensor) -> Tensor:
        """Return the hits of ``(N, 27, T)``: ``(N, 9, T)``, 0 or 1."""
        return x[:, HITS]

    def sounding(self, x: Tensor) -> Tensor:
        """Return at which steps of ``(N, 27, T)`` a drum is struck: ``(N, T)``, bool."""
        return x[:, HITS].bool().any(1)
