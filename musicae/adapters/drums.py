"""Drums <-> 9 classes of hits in steps of a sixteenth (Roberts et al., ICML 2018; Gillick et al., ICML 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from musicae.adapters import grid, midi
from musicae.adapters.notes import NoteAdapter
from musicae.core import Sample
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["CLASSES", "Drums"]

CLASSES: dict[str, tuple[int, ...]] = {
    "kick": (36, 35),
    "snare": (38, 37, 39, 40, 31, 32, 33),
    "closed hi-hat": (42, 22, 44, 54, 68, 69, 70, 71, 73, 75, 78, 80, 82),
    "open hi-hat": (46, 26, 67, 72, 74, 79, 81),
    "low tom": (43, 41, 58, 61, 64, 84, 86, 87),
    "mid tom": (47, 45, 60, 63, 66, 77),
    "high tom": (50, 48, 62, 65, 76),
    "crash": (49, 52, 55, 57, 27, 28, 29, 30),
    "ride": (51, 53, 56, 59, 34, 83, 85),
}
"""The channels, in order, and the notes that each takes; the first note is the one that is written.

The nine classes and the places of the drum kit and of the Roland TD-11's notes (22 and 26: the hi-hat's edge, 58 and
43: the floor tom's rim and head, 37 and 40: the snare's sticks and rim) are those of the Groove MIDI Dataset. The rest
of General MIDI's percussion (35..81) and of its level 2 (27..34, 82..87) goes by height, length and use: low and dry
to the toms, shakers and scrapes to the closed hi-hat, bells and clicks to the ride, long noises to the crash.
"""

LENGTH = 1
"""Steps that a written hit lasts. Drums ring as they like; sequencers want a length."""

_CLASS_OF = np.full(128, -1, np.int64)
for _index, _pitches in enumerate(CLASSES.values()):
    _CLASS_OF[list(_pitches)] = _index


class Drums(NoteAdapter):
    """Reads all drum tracks of a MIDI file as hits ``(9, T)``, 0 or 1, and writes hits on channel 10.

    The channels are those of `CLASSES`. Velocities of the hits are kept in `meta`. The place within a step is lost.

    Parameters
    ----------
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    """

    kind: ClassVar[str] = "drums"
    suffixes: ClassVar[tuple[str, ...]] = (".mid", ".midi")
    default_preset: ClassVar[str] = "drums-2bar"
    labels: ClassVar[tuple[str, ...]] = tuple(CLASSES)

    def __init__(self, bars: int = 2, steps_per_beat: int = 4) -> None:
        super().__init__(len(CLASSES), "bernoulli", bars, steps_per_beat)

    def from_score(
        self, score: ScoreTick, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return the drums of a score, of one track or of all drum tracks together; see `read`.

        The tensor is ``(9, T)``, from the bar of the first hit to the end of the bar of the last.
        """
        name, notes, remarks = _choose(midi.parts(score), track)
        laid = grid.lay(
            score,
            notes.start,
            notes.start + 1,
            bars=bars,
            steps_per_beat=self.steps_per_beat,
            window=self.spec.shape[0],
        )
        step, channel = laid.steps(notes.start), _CLASS_OF[notes.pitch]
        inside = (step >= 0) & (step < laid.length)
        if not np.any(inside):
            raise MusicaeError(f"bars '{bars}' have no drums; choose others with --bars")
        velocities = np.zeros((len(CLASSES), laid.length), np.int64)
        np.maximum.at(velocities, (channel[inside], step[inside]), notes.velocity[inside])
        merged = np.count_nonzero(inside) - np.count_nonzero(velocities)
        if merged:
            remarks.append(f"{merged} hit(s) fell on the step of another of their class; the louder ones were kept")
        moved = np.abs((notes.start - laid.start) / laid.step - step)[inside] > 0.25
        if moved.mean() > 0.01:
            remarks.append(f"{moved.mean():.0%} of the hits moved by more than a quarter of a step")
        meta = {
            "tempos": laid.tempos,
            "meters": laid.meters,
            "programs": [[0, int(notes.program[0])]],
            "keys": [],
            "track": name or "Drums",
            "source": source,
            "velocities": velocities.tolist(),
        }
        return Sample(torch.from_numpy(velocities > 0).float(), meta, laid.hop, remarks + laid.remarks)

    def write(self, sample: Sample, path: Path) -> None:
        """Write hits ``(9, T)`` (values over 0.5 are hits) as a type-1 MIDI file, on channel 10.

        Raises
        ------
        MusicaeError : the folder is missing or cannot be written.
        """
        hits = sample.tensor.detach().cpu().numpy() > 0.5
        length = hits.shape[1]
        start, channel = np.nonzero(hits.T)
        pitch = np.asarray([pitches[0] for pitches in CLASSES.values()])[channel]
        loud = grid.velocity(sample.meta, len(CLASSES), length, self.steps_per_beat)[channel, start]
        program = np.full(len(start), sample.meta["programs"][0][1])
        notes = midi.Notes(start, start + LENGTH, pitch, loud, program)
        midi.save(midi.build(notes, sample.meta, length, steps_per_beat=self.steps_per_beat, drums=True), path)

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a pattern that no file gave: 120 quarter notes a minute, 4/4."""
        return grid.blank("Drums")

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return ``(B, 9, T)``, each pattern begun at another of its beats: what is cut off goes to the end."""
        length = batch.shape[-1]
        beats = torch.randint(length // self.steps_per_beat, (len(batch), 1), generator=generator)
        index = (torch.arange(length) + beats * self.steps_per_beat) % length
        return batch.gather(2, index.unsqueeze(1).expand_as(batch).to(batch.device))

    def canonical(self, data: Tensor) -> Tensor:
        """Return `data` as it is; see `augment`."""
        return data


def _choose(available: Sequence[midi.Part], track: str | int | None) -> tuple[str, midi.Notes, list[str]]:
    """Return the name, the notes that have a class, and remarks."""
    if not available:
        raise MusicaeError("it has no notes; give a file with drums")
    if track is not None:
        available = midi.select(available, track)
    chosen = [part for part in available if part.drums]
    if not chosen:
        what = "it has no drums" if track is None else f"track {available[0]} is not drums"
        raise MusicaeError(f"{what}; use --preset melody-2bar")
    remarks = [f"the {len(chosen)} drum tracks were put together"] if len(chosen) > 1 else []
    notes = midi.merge(chosen)
    known = _CLASS_OF[notes.pitch] >= 0
    if not np.any(known):
        raise MusicaeError("its drum track has no note of General MIDI's percussion (27..87)")
    if not np.all(known):
        remarks.append(f"{np.count_nonzero(~known)} note(s) are no percussion (27..87) and were left out")
    return chosen[0].name, midi.Notes(*(a[known] for a in notes)), remarks
