"""Melodies: one line of notes <-> one-hot tokens in steps of a sixteenth (Roberts et al., MusicVAE, ICML 2018)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae.adapters import grid, midi
from musicae.adapters.notes import NoteAdapter
from musicae.core import Sample
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["Melody", "pick", "skyline"]

REST, HOLD, FIRST = 0, 1, 2
SHIFTS = (-5, 6)
"""The transpositions of `Melody.augment`, in semitones: every key once."""

_SINGS = re.compile(
    r"melod|mélod|vocal|voice|\bvox\b|\bvoc\b|\bsing|\blead|\bsolo|sopran|cant[oaus]|chant|gesang|stimme|\bvoz\b|"
    r"\bvoix\b|\btune\b|\bth[eè]m[ea]|superius|discant|旋律|主旋|メロディ|ボーカル|人声|人聲|мелодия|голос|вокал",
    re.IGNORECASE,
)
_ACCOMPANIES = re.compile(
    r"back|choir|chorus|harmon|accomp|begleit|bass|drum|perc|\bpad\b|chord|akkord|rhythm", re.IGNORECASE
)


class Melody(NoteAdapter):
    """Reads the tune of a MIDI or ABC file as one-hot tokens, and writes tokens as MIDI.

    Channel 0 is a rest, 1 a hold (the note before goes on), ``2 + p - low`` the onset of MIDI pitch ``p``. A hold
    at the first step of a window means that a note goes on from before it.

    Parameters
    ----------
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    low, high : lowest and highest MIDI pitch; others are moved by octaves.
    """

    kind: ClassVar[str] = "melody"
    suffixes: ClassVar[tuple[str, ...]] = (".mid", ".midi", ".abc")
    writes: ClassVar[tuple[str, ...]] = (".mid", ".midi")
    default_preset: ClassVar[str] = "melody-2bar"

    def __init__(self, bars: int = 2, steps_per_beat: int = 4, low: int = 21, high: int = 108) -> None:
        if low < 0 or high > 127 or high - low < 11:
            raise MusicaeError("[adapter] low and high must span an octave or more within 0..127")
        super().__init__(FIRST + high - low + 1, "categorical", bars, steps_per_beat)
        self.low, self.high = low, high

    def from_score(
        self, score: ScoreTick, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return the melody of a score, of the track that is wanted or that `pick` chooses; see `read`.

        The tensor is ``(C, T)``, from the bar of the first note to the end of the bar of the last.
        """
        available = midi.parts(score)
        part, remarks = _choose(available, track)
        notes = part.notes()
        notes = skyline(notes, score.ticks_per_quarter / self.steps_per_beat)
        dropped = part.count - len(notes.start)
        if dropped:
            remarks.append(f"{dropped} of {part.count} notes lie under a higher one and were left out")
        laid = grid.lay(
            score,
            notes.start,
            notes.end,
            bars=bars,
            steps_per_beat=self.steps_per_beat,
            window=self.spec.shape[0],
            tracks=[other.notes()[:2] for other in available[:64] if not other.drums],
        )
        line = _quantise(notes, laid, self.steps_per_beat, remarks)
        if not len(line.start):
            raise MusicaeError(f"bars '{bars}' have no notes in track {part}; choose others with --bars")
        pitch = self._fold(line.pitch, remarks)
        tokens = np.zeros(laid.length + 1, np.int64)
        sounding = np.zeros(laid.length + 1, np.int64)
        sounding[line.start] += 1
        np.subtract.at(sounding, line.end, 1)
        tokens[sounding.cumsum() > 0] = HOLD
        tokens[line.start] = FIRST + pitch - self.low
        velocities = np.zeros(laid.length, np.int64)
        velocities[line.start] = line.velocity
        new = np.flatnonzero(np.diff(line.program, prepend=-1))
        programs = list(zip([0, *line.start[new[1:]].tolist()], line.program[new].tolist(), strict=True))
        meta = {
            "tempos": laid.tempos,
            "meters": laid.meters,
            "programs": [list(entry) for entry in programs],
            "keys": laid.keys,
            "track": part.name or "Melody",
            "source": source,
            "velocities": velocities.tolist(),
        }
        return Sample(self._one_hot(tokens[:-1]), meta, laid.hop, remarks + laid.remarks)

    def from_abc(self, tune: str, *, source: str = "") -> Sample:
        """Return the melody of one ABC tune (text from its ``X:`` line on); see `from_score`.

        Raises
        ------
        MusicaeError : text without a tune, a tune without notes.
        """
        return self.from_score(midi.from_abc(tune), source=source)

    def _fold(self, pitch: NDArray[np.int64], remarks: list[str]) -> NDArray[np.int64]:
        below, above = np.maximum(self.low - pitch, 0), np.maximum(pitch - self.high, 0)
        octaves = -(-below // 12) - -(-above // 12)
        if np.any(octaves):
            count = np.count_nonzero(octaves)
            remarks.append(f"{count} note(s) outside the pitches {self.low}..{self.high} were moved by octaves")
        folded: NDArray[np.int64] = pitch + 12 * octaves
        return folded

    def _one_hot(self, tokens: NDArray[np.int64]) -> Tensor:
        values = np.zeros((self.spec.channels, len(tokens)), np.float32)
        values[tokens, np.arange(len(tokens))] = 1.0
        return torch.from_numpy(values)

    def tokens(self, data: Tensor) -> Tensor:
        """Return the class indices, uint8 ``(*, T)``, of values or logits ``(*, C, T)``."""
        return data.argmax(dim=-2).to(torch.uint8)

    def write(self, sample: Sample, path: Path) -> None:
        """Write a melody ``(C, T)`` (one-hot or logits: the largest counts) as a type-1 MIDI file.

        A hold with no note before it is a rest.

        Raises
        ------
        MusicaeError : the folder is missing or cannot be written.
        """
        tokens = self.tokens(sample.tensor.detach().cpu()).numpy().astype(np.int64)
        length = len(tokens)
        start = np.flatnonzero(tokens >= FIRST)
        stops = np.flatnonzero(tokens != HOLD)
        end = np.append(stops, length)[np.searchsorted(stops, start, side="right")]
        programs = sample.meta["programs"]
        active = np.searchsorted([at for at, _ in programs], start, side="right") - 1
        notes = midi.Notes(
            start,
            end,
            tokens[start] - FIRST + self.low,
            grid.velocity(sample.meta, 1, length, self.steps_per_beat)[0, start],
            np.asarray([program for _, program in programs])[np.maximum(active, 0)],
        )
        midi.save(midi.build(notes, sample.meta, length, steps_per_beat=self.steps_per_beat, drums=False), path)

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a melody that no file gave: 120 quarter notes a minute, 4/4, piano."""
        return grid.blank("Melody")

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Transpose each one-hot example of ``(B, C, T)`` by its own number of semitones, -5..6.

        An example that would leave the range of pitches is moved as far as it can go.
        """
        wanted = torch.randint(SHIFTS[0], SHIFTS[1] + 1, (len(batch), 1), generator=generator).to(batch.device)
        channels = torch.arange(batch.shape[1], device=batch.device, dtype=batch.dtype)
        index = torch.einsum("c,bct->bt", channels, batch).round().long()
        is_note = index >= FIRST
        lowest = torch.where(is_note, index, batch.shape[1]).amin(dim=1, keepdim=True)
        highest = torch.where(is_note, index, 0).amax(dim=1, keepdim=True)
        shift = wanted.maximum(FIRST - lowest).minimum(batch.shape[1] - 1 - highest)
        moved = torch.where(is_note, index + shift, index)
        return torch.zeros_like(batch).scatter_(1, moved[:, None], 1.0)

    def canonical(self, data: Tensor) -> Tensor:
        """Return windows ``(N, T)`` of tokens as int16, their first onset moved to token 130.

        So two windows are equal here if and only if one is the other transposed. The numbers are for comparing;
        they are no tokens.
        """
        index = data.to(torch.int16)
        is_note = index >= FIRST
        first = index.gather(1, is_note.int().argmax(dim=1, keepdim=True))
        return torch.where(is_note, index - first + 130, index)


def _choose(available: Sequence[midi.Part], track: str | int | None) -> tuple[midi.Part, list[str]]:
    if not available:
        raise MusicaeError("it has no notes; give a file with a tune")
    if track is not None:
        available = midi.select(available, track)
        if all(part.drums for part in available):
            raise MusicaeError(f"track {available[0]} is drums; use --preset drums-2bar or another --track")
    tuned = [part for part in available if not part.drums]
    if not tuned:
        raise MusicaeError("it has only drums; use --preset drums-2bar")
    return pick(tuned)


def pick(candidates: Sequence[midi.Part]) -> tuple[midi.Part, list[str]]:
    """Choose the track of the melody, and say why in a remark.

    1. Among tracks whose name says so (melody, vocal, voice, lead, solo, soprano, canto ..., and no word such as
       backing or harmony beside it), or among all if no name does:
    2. the highest sum of four marks: mean pitch (1.5 from E4 up, 0 from E2 down), share of the time in which one
       note at most sounds (3), number of notes (2 from 200 up, logarithmic), share of the piece it plays in (1).
    """
    if len(candidates) == 1:
        return candidates[0], [f"track {candidates[0]}: the only one"] if candidates[0].number > 1 else []
    named = [part for part in candidates if _SINGS.search(part.name) and not _ACCOMPANIES.search(part.name)]
    if len(named) == 1:
        return named[0], [f"track {named[0]} was taken for its name; --track chooses another"]
    pool = named or list(candidates)
    notes = [part.notes() for part in pool]
    span = max(int(n.end.max()) for n in notes) - min(int(n.start[0]) for n in notes)
    best = max(range(len(pool)), key=lambda i: _mark(notes[i], span))
    why = "for its name, pitch and shape" if named else "for its pitch and shape, since no name says melody"
    return pool[best], [f"track {pool[best]} was taken of {len(candidates)} {why}; --track chooses another"]


def _mark(notes: midi.Notes, span: int) -> float:
    reach = np.maximum.accumulate(notes.end)
    sounding = int(np.minimum(reach[:-1], notes.start[1:]).sum() - notes.start[:-1].sum()) if len(reach) > 1 else 0
    sounding += int(reach[-1] - notes.start[-1])
    height = np.clip((notes.pitch.mean() - 40) / 24, 0, 1)
    single = min(1.0, sounding / max(1, int((notes.end - notes.start).sum())))
    many = np.log1p(min(200, len(notes.start))) / np.log(201)
    cells = len(np.unique(notes.start * 32 // max(1, span)))
    return float(1.5 * height + 3 * single + 2 * many + cells / 32)


def skyline(notes: midi.Notes, step: float, block: int = 65536) -> midi.Notes:
    """Return the top line of `notes` (sorted by onset, ticks): those that no higher note covers.

    A note is covered where a higher one began no later and goes on by more than a step (or more than half of the
    lower note, if that is less) after its onset. Less is legato: the higher note hangs on into the next.
    """
    start, end, pitch = notes.start, notes.end, notes.pitch
    if len(start) < 2 or np.all(np.maximum.accumulate(end)[:-1] <= start[1:]):
        return notes
    pitches, rank = np.unique(-pitch, return_inverse=True)
    slack = np.minimum(step, (end - start) / 2)
    last = np.searchsorted(start, start, side="right") - 1
    keep = np.ones(len(start), bool)
    carried = np.zeros((len(pitches), 1), np.int64)
    for at in range(0, len(start), block):
        # A block ends with the notes of one onset, so that all of a chord is seen at once.
        stop = int(last[min(at + block, len(start)) - 1]) + 1
        at = int(last[at - 1]) + 1 if at else 0
        if at >= stop:
            continue
        reach = np.zeros((len(pitches), stop - at + 1), np.int64)
        reach[:, :1] = carried
        reach[rank[at:stop], np.arange(1, stop - at + 1)] = end[at:stop]
        np.maximum.accumulate(reach, axis=1, out=reach)
        carried = reach[:, -1:].copy()
        np.maximum.accumulate(reach, axis=0, out=reach)
        higher = reach[np.maximum(rank[at:stop] - 1, 0), last[at:stop] - at + 1]
        keep[at:stop] = (rank[at:stop] == 0) | (higher - start[at:stop] <= slack[at:stop])
    return midi.Notes(*(a[keep] for a in notes))


def _quantise(notes: midi.Notes, laid: grid.Grid, steps_per_beat: int, remarks: list[str]) -> midi.Notes:
    """Return one note a step at most, in steps within the excerpt; each ends where the next begins."""
    start, end = laid.steps(notes.start), laid.steps(notes.end)
    inside = (start >= 0) & (start < laid.length)
    offset = (notes.start - laid.start) / laid.step - start
    # Of several onsets in a step the highest counts; a grace note (less than half a step) gives way to its main note.
    long = notes.end - notes.start >= laid.step / 2
    order = np.lexsort((notes.pitch, long, start))
    order = order[inside[order]]
    latest = np.append(start[order][1:] != start[order][:-1], True) if len(order) else np.zeros(0, bool)
    chosen = order[latest]
    _say_what_is_lost(offset[order], start[order] % steps_per_beat, len(order) - len(chosen), steps_per_beat, remarks)
    begin = start[chosen]
    until = np.minimum(np.maximum(end[chosen], begin + 1), np.append(begin[1:], laid.length))
    return midi.Notes(begin, until, notes.pitch[chosen], notes.velocity[chosen], notes.program[chosen])


def _say_what_is_lost(
    offset: NDArray[np.floating[Any]], place: NDArray[np.int64], merged: int, steps_per_beat: int, remarks: list[str]
) -> None:
    if merged:
        remarks.append(f"{merged} onset(s) fell on the step of another and were left out")
    moved = np.abs(offset) > 0.25
    share = float(moved.mean()) if len(offset) else 0.0
    if share > 0.01:
        remarks.append(f"{share:.0%} of the onsets moved by more than a quarter of a step")
    beat = (place + offset) / steps_per_beat
    triplets = (np.abs(beat - 1 / 3) < 0.04) | (np.abs(beat - 2 / 3) < 0.04)
    if len(offset) and triplets.mean() > 0.1:
        remarks.append(f"{triplets.mean():.0%} of the onsets lie on triplets or swing; they were made straight")
