"""Drums <-> 9 classes of hits in steps of a sixteenth (Roberts et al., ICML 2018; Gillick et al., ICML 2019)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor

from musicae.adapters.shared import meta
from musicae.adapters.shared.hits import details, hits, merged_remark
from musicae.adapters.shared.score import KIT, ScoreAdapter, tracks_in
from musicae.core import File, Notes, Packed, Roll, Sample, Spec
from musicae.errors import OTHER_BARS, MusicaeError, line_of
from musicae.formats.music import bar_grid, midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.bar_grid import Excerpt
from musicae.formats.music.kit import MIN_DRUMS, choose
from musicae.formats.music.percussion import CLASS_OF, CLASSES

__all__ = ["Drums"]

_LENGTH = 1
"""Steps that a written hit lasts: drums ring as long as they do, but sequencers need a length."""


class Drums(ScoreAdapter):
    """Reads all drum tracks of a MIDI file as hits ``(9, T)``, 0 or 1, and writes hits on channel 10.

    The channels are those of `CLASSES`. Velocities of the hits are kept in `meta`. Timing within a step is lost.

    Parameters
    ----------
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    """

    suffixes: ClassVar[tuple[str, ...]] = midi.SUFFIXES
    plays: ClassVar[str] = "drums"
    attributes = KIT

    velocity_rows = len(CLASSES)

    def __init__(
        self, bars: Annotated[int, Meta(ge=1, le=1024)] = 2, steps_per_beat: Annotated[int, Meta(ge=1, le=96)] = 4
    ) -> None:
        super().__init__(Spec(len(CLASSES), (1,), "bernoulli"), bars, steps_per_beat)

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return .9 for a MIDI file that is (almost) all drums; see `Adapter.sniff`.

        A file that is MIDI only by its suffix goes to the melody adapter.
        """
        tracks = tracks_in(head, file)
        if tracks is None:
            return 0.8 * super().sniff(head, file)
        return 0.9 if score_parts.share_of_drums(tracks) >= MIN_DRUMS else 0.4

    def from_score(
        self, loaded: midi.Loaded, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return the drums of a score, of one track or of all drum tracks together; see `read`.

        The tensor is ``(9, T)``, from the bar of the first hit to the end of the bar of the last.
        """
        name, notes, remarks = choose(score_parts.parts(loaded.tracks), track)
        found, step, inside = self._place(loaded, notes, bars, swings=True)
        channel = CLASS_OF[notes.pitch]
        velocities = np.zeros((len(CLASSES), found.length), np.int64)
        np.maximum.at(velocities, (channel[inside], step[inside]), notes.velocity[inside])
        merged = int(np.count_nonzero(inside) - np.count_nonzero(velocities))
        remarks += merged_remark(merged)
        moved = np.abs(found.places(notes.start) - step)[inside] > 0.25
        if moved.mean() > 0.01:
            remarks.append(f"{moved.mean():.0%} of the hits moved by more than a quarter of a step")
        grid = bar_grid.complete(found, loaded.score, self.steps_per_beat, self.spec.shape[0])
        about = details(grid, notes, name, source, velocities.tolist())
        return Sample(torch.from_numpy(velocities > 0).float(), about, grid.hop, remarks + grid.remarks)

    def pack_score(self, loaded: midi.Loaded, track: str | int | None) -> Packed:
        """Return the hits of a score, bool ``(9, T)``, on straight steps even if it swings."""
        _, notes, _ = choose(score_parts.parts(loaded.tracks), track)
        found, step, inside = self._place(loaded, notes, None)
        loud = inside & (notes.velocity > 0)
        struck = np.zeros((len(CLASSES), found.length), bool)
        struck[CLASS_OF[notes.pitch[loud]], step[loud]] = True
        sounding: NDArray[np.bool_] = np.logical_or.reduce(struck)
        _, numerator, denominator = found.meters[0]
        return Packed(struck, sounding, sounding, 4 * self.steps_per_beat * numerator / denominator)

    def _place(
        self, loaded: midi.Loaded, notes: score_parts.Notes, bars: str | int | None, swings: bool = False
    ) -> tuple[Excerpt, NDArray[np.int64], NDArray[np.bool_]]:
        """Return where the hits lie, the step of each, and which are inside; `swings` makes late eighths even."""
        found = bar_grid.place(
            loaded.score, notes.start, notes.start + 1, bars=bars, steps_per_beat=self.steps_per_beat
        )
        found = bar_grid.with_swing(found, loaded.score, notes.start) if swings else found
        step = found.steps(notes.start)
        inside = (step >= 0) & (step < found.length)
        if not np.any(inside):
            raise MusicaeError(line_of(f"bars '{bars}' have no drums; ", OTHER_BARS))
        return found, step, inside

    def write(self, sample: Sample, file: File) -> None:
        """Write hits ``(9, T)`` (values over 0.5) as a type-1 MIDI file, on channel 10.

        Raises
        ------
        MusicaeError : the folder is missing or cannot be written.
        """
        start, channel = (values.numpy() for values in hits(sample.tensor.detach().cpu()))
        length = sample.tensor.shape[-1]
        pitch = np.asarray([notes[0] for notes in CLASSES.values()])[channel]
        loud = meta.velocities(sample.meta, len(CLASSES), length, self.steps_per_beat)[channel, start]
        program = np.full(len(start), sample.meta["programs"][0][1])
        notes = score_parts.Notes(start, start + _LENGTH, pitch, loud, program)
        track = midi.TrackNotes(notes, sample.meta["track"], drums=True, program=sample.meta["programs"][0][1])
        score = midi.build([track], sample.meta, length, steps_per_beat=self.steps_per_beat)
        midi.save(score, file, sample.meta.get("encoding", ""))

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a pattern that came from no file: 120 quarter notes a minute, 4/4."""
        return meta.blank("Drums")

    def notes(self, x: Tensor, part: str) -> Notes:
        """Return the hits of ``(N, 9, T)``."""
        return Notes(x > 0, self.steps_per_beat, classes=tuple(CLASSES))

    def rolls(self, sample: Sample) -> list[Roll]:
        """Return one piano roll, with a row for each class."""
        step, channel = hits(sample.tensor)
        struck = [(at, _LENGTH, row) for at, row in zip(step.tolist(), channel.tolist(), strict=True)]
        length, meters = sample.tensor.shape[-1], sample.meta["meters"]
        return [Roll(struck, length, self.steps_per_beat, labels=tuple(CLASSES), meters=meters)]

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return ``(B, 9, T)``, each pattern rotated by a random number of beats."""
        length = batch.shape[-1]
        beats = torch.randint(length // self.steps_per_beat, (len(batch), 1), generator=generator)
        index = (torch.arange(length) + beats * self.steps_per_beat) % length
        return batch.gather(2, index.unsqueeze(1).expand_as(batch).to(batch.device))
