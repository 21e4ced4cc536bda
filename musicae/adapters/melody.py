"""Melodies: one line of notes <-> one-hot tokens in steps of a sixteenth (Roberts et al., MusicVAE, ICML 2018)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor

from musicae.adapters.shared import meta
from musicae.adapters.shared.score import MIN_DRUMS, ScoreAdapter, share_of_drums
from musicae.core import File, Packed, Roll, Sample
from musicae.errors import MusicaeError
from musicae.formats.music import bar_grid, midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.abc import is_abc
from musicae.formats.music.bar_grid import Excerpt, Grid
from musicae.tensors import melody_tokens

__all__ = ["Melody", "pick", "skyline"]

_MAX_CHORD = 4096
"""Notes at one tick from which on those of one pitch are taken as one."""

_MAX_SPANS = 64
"""Tracks by whose notes the beats are found."""

SHIFTS = (-5, 6)
"""The transpositions of `Melody.augment`, in semitones: each key once."""

_MELODY_NAMES = re.compile(
    r"melod|mélod|vocal|voice|\bvox\b|\bvoc\b|\bsing|\blead|\bsolo|sopran|cant[oaus]|chant|gesang|stimme|\bvoz\b|"
    r"\bvoix\b|\btune\b|\bth[eè]m[ea]|superius|discant|旋律|主旋|メロディ|ボーカル|人声|人聲|мелодия|голос|вокал",
    re.IGNORECASE,
)
_ACCOMPANIMENT_NAMES = re.compile(
    r"back|choir|chorus|harmon|accomp|begleit|bass|drum|perc|\bpad\b|chord|akkord|rhythm", re.IGNORECASE
)


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
    one_track = True

    def __init__(
        self,
        bars: Annotated[int, Meta(ge=1, le=1024)] = 2,
        steps_per_beat: Annotated[int, Meta(ge=1, le=96)] = 4,
        low: Annotated[int, Meta(ge=0, le=127)] = 21,
        high: Annotated[int, Meta(ge=0, le=127)] = 108,
    ) -> None:
        if low < 0 or high > 127 or high - low < 11:
            raise MusicaeError("[adapter] low and high must span an octave or more within 0..127")
        super().__init__(melody_tokens.FIRST_ONSET + high - low + 1, "categorical", bars, steps_per_beat)
        self.low, self.high = low, high

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return .9 for an ABC file and a MIDI file that is not (almost) all drums; see `Adapter.sniff`."""
        if is_abc(head):
            return 0.9
        drums = share_of_drums(head, file)
        if drums is None:
            return super().sniff(head, file)
        return 0.9 if drums < MIN_DRUMS else 0.4

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
        """Return the tokens of the melody of a score."""
        _, line, found = self._line(loaded, track, None)
        tokens = self._tokens(line, found, [])
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
        notes = skyline(part.notes(), score.ticks_per_quarter / self.steps_per_beat)
        spans = [other.span() for other in available[:_MAX_SPANS] if not other.drums]
        found = bar_grid.place(
            score, notes.start, notes.end, bars=bars, steps_per_beat=self.steps_per_beat, tracks=spans
        )
        if remarks is not None:
            remarks += why
            if dropped := part.count - len(notes.start):
                remarks.append(f"{dropped} of {part.count} notes are below a higher one and were left out")
        line = _quantise(notes, found, self.steps_per_beat, remarks)
        if not len(line.start):
            raise MusicaeError(f"bars '{bars}' have no notes in track {part}; choose others with --bars")
        return part, line, found

    def _tokens(self, line: score_parts.Notes, found: Excerpt, remarks: list[str]) -> NDArray[np.uint8]:
        return melody_tokens.from_notes(line.start, line.end, self._fold(line.pitch, remarks) - self.low, found.length)

    def _fold(self, pitch: NDArray[np.int64], remarks: list[str]) -> NDArray[np.int64]:
        below, above = np.maximum(self.low - pitch, 0), np.maximum(pitch - self.high, 0)
        octaves = -(-below // 12) - -(-above // 12)
        if np.any(octaves):
            count = np.count_nonzero(octaves)
            remarks.append(f"{count} note(s) outside the pitches {self.low}..{self.high} were moved by octaves")
        folded: NDArray[np.int64] = pitch + 12 * octaves
        return folded

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
        score = midi.build(notes, sample.meta, len(tokens), steps_per_beat=self.steps_per_beat, drums=False)
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

    def sounding(self, x: Tensor) -> Tensor:
        """Return at which steps of ``(N, C, T)`` a note begins or goes on: ``(N, T)``, bool."""
        return melody_tokens.sounding(x)

    def roll(self, sample: Sample) -> Roll:
        """Return the notes of a melody for a piano roll, at their MIDI pitches."""
        start, end, pitch = melody_tokens.notes(melody_tokens.tokens(sample.tensor))
        notes = zip(start.tolist(), (end - start).tolist(), (pitch + self.low).tolist(), strict=True)
        return Roll(list(notes), sample.tensor.shape[-1], self.steps_per_beat, meters=sample.meta["meters"])


def _meta_of(line: score_parts.Notes, grid: Grid, track: str, source: str) -> dict[str, Any]:
    """Return the `meta` of a line of notes, in steps."""
    velocities = np.zeros(grid.length, np.int64)
    velocities[line.start] = line.velocity
    changes = np.flatnonzero(np.diff(line.program, prepend=-1))
    steps = [0, *line.start[changes[1:]].tolist()]
    return {
        "tempos": grid.tempos,
        "meters": grid.meters,
        "programs": [list(entry) for entry in zip(steps, line.program[changes].tolist(), strict=True)],
        "keys": grid.keys,
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
            raise MusicaeError(
                f"track {available[0]} is drums; choose another with --track, or a preset for drums with --preset"
            )
    tuned = [part for part in available if not part.drums]
    if not tuned:
        raise MusicaeError("it has only drums; choose a preset for drums with --preset (musicae presets lists them)")
    return pick(tuned)


def pick(candidates: Sequence[score_parts.Part]) -> tuple[score_parts.Part, list[str]]:
    """Choose the track of the melody; return it, and remarks that say why.

    1. Among tracks whose name says so (melody, vocal, voice, lead, solo, soprano, canto ..., without words such as
       backing or harmony), or among all if no name does:
    2. the highest sum of four ratings: mean pitch (1.5 from E4 up, 0 from E2 down), share of the time with at most
       one note (3), number of notes (2 from 200 up, logarithmic), share of the piece it plays in (1).
    """
    if len(candidates) == 1:
        return candidates[0], [f"track {candidates[0]}: the only one"] if candidates[0].number > 1 else []
    named = [part for part in candidates if _is_named_melody(part.name)]
    if len(named) == 1:
        return named[0], [f"track {named[0]} was chosen for its name; --track chooses another"]
    pool = named or list(candidates)
    notes = [part.notes() for part in pool]
    span = max(int(n.end.max()) for n in notes) - min(int(n.start[0]) for n in notes)
    best = max(range(len(pool)), key=lambda i: _rating(notes[i], span))
    why = "for its name, pitch and shape" if named else "for its pitch and shape, since no track is named melody"
    return pool[best], [f"track {pool[best]} was chosen from {len(candidates)} {why}; --track chooses another"]


@lru_cache(maxsize=4096)
def _is_named_melody(name: str) -> bool:
    return bool(_MELODY_NAMES.search(name)) and not _ACCOMPANIMENT_NAMES.search(name)


def _rating(notes: score_parts.Notes, span: int) -> float:
    reach = np.maximum.accumulate(notes.end)
    sounding = int(np.minimum(reach[:-1], notes.start[1:]).sum() - notes.start[:-1].sum()) if len(reach) > 1 else 0
    sounding += int(reach[-1] - notes.start[-1])
    height = np.clip((notes.pitch.mean() - 40) / 24, 0, 1)
    single = min(1.0, sounding / max(1, int((notes.end - notes.start).sum())))
    many = np.log1p(min(200, len(notes.start))) / np.log(201)
    cells = notes.start * 32 // max(1, span)
    used = 1 + int(np.count_nonzero(cells[1:] != cells[:-1]))
    return float(1.5 * height + 3 * single + 2 * many + used / 32)


def skyline(notes: score_parts.Notes, step: float, block: int = 65536) -> score_parts.Notes:
    """Return the top line of `notes` (sorted by onset, in ticks): the notes that no higher one covers.

    A higher note covers another if it begins no later and goes on for more than a step (or half of the lower note, if
    that is less) after its onset. Anything shorter is legato: the higher note is held into the next one.
    """
    if np.any(notes.start[_MAX_CHORD:] == notes.start[:-_MAX_CHORD]):
        notes = _longest(notes)  # A block would be as large as the file.
    start, end, pitch = notes.start, notes.end, notes.pitch
    if len(start) < 2 or np.all(np.maximum.accumulate(end)[:-1] <= start[1:]):
        return notes
    pitches, rank = np.unique(-pitch, return_inverse=True)
    slack = np.minimum(step, (end - start) / 2)
    last = np.searchsorted(start, start, side="right") - 1
    keep = np.ones(len(start), bool)
    carried = np.zeros((len(pitches), 1), np.int64)
    for at in range(0, len(start), block):
        # A block ends with the notes of one onset, so that a chord stays together.
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
    return score_parts.Notes(*(a[keep] for a in notes))


def _longest(notes: score_parts.Notes) -> score_parts.Notes:
    """Return one note, the longest, of those of the same pitch and onset."""
    order = np.lexsort((-notes.end, notes.pitch, notes.start))
    start, pitch = notes.start[order], notes.pitch[order]
    first = np.append(True, (start[1:] != start[:-1]) | (pitch[1:] != pitch[:-1]))
    kept = np.sort(order[first])
    return score_parts.Notes(*(a[kept] for a in notes))


def _quantise(
    notes: score_parts.Notes, grid: Excerpt, steps_per_beat: int, remarks: list[str] | None
) -> score_parts.Notes:
    """Return at most one note a step, in steps within the excerpt; each ends at the latest where the next begins."""
    start, end = grid.steps(notes.start), grid.steps(notes.end)
    inside = (start >= 0) & (start < grid.length)
    # Of several onsets in a step the highest is kept; a grace note (under half a step) yields to its main note.
    long = notes.end - notes.start >= grid.step / 2
    order = np.lexsort((notes.pitch, long, start))
    order = order[inside[order]]
    latest = np.append(start[order][1:] != start[order][:-1], True) if len(order) else np.zeros(0, bool)
    chosen = order[latest]
    if remarks is not None:
        offset = (notes.start[order] - grid.start) / grid.step - start[order]
        merged = len(order) - len(chosen)
        _remark_on_losses(offset, start[order] % steps_per_beat, merged, steps_per_beat, remarks)
    begin = start[chosen]
    until = np.minimum(np.maximum(end[chosen], begin + 1), np.append(begin[1:], grid.length))
    return score_parts.Notes(begin, until, notes.pitch[chosen], notes.velocity[chosen], notes.program[chosen])


def _remark_on_losses(
    offset: NDArray[np.floating[Any]], step: NDArray[np.int64], merged: int, steps_per_beat: int, remarks: list[str]
) -> None:
    if merged:
        remarks.append(f"{merged} onset(s) fell on the same step as another and were left out")
    moved = np.abs(offset) > 0.25
    share = float(moved.mean()) if len(offset) else 0.0
    if share > 0.01:
        remarks.append(f"{share:.0%} of the onsets moved by more than a quarter of a step")
    beat = (step + offset) / steps_per_beat
    triplets = (np.abs(beat - 1 / 3) < 0.04) | (np.abs(beat - 2 / 3) < 0.04)
    if len(offset) and triplets.mean() > 0.1:
        remarks.append(f"{triplets.mean():.0%} of the onsets are triplets or swing; they were made straight")
