"""Bands: melody, bass, harmony and drums of a MIDI file <-> one tensor in steps of a sixteenth."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor

from musicae import core
from musicae.adapters.shared import band_notes, lines, meta
from musicae.adapters.shared.arrangement import Arrangement, arrange, mark_parts, written_parts
from musicae.adapters.shared.origin import Origin, named_chords
from musicae.adapters.shared.score import KIT, LINE, RECORDING, ScoreAdapter, tracks_in
from musicae.core import File, Packed, Roll, Sample, Unpacked, Windows
from musicae.errors import OTHER_BARS, Line, MusicaeError, line_of
from musicae.formats.music import bar_grid, midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.abc import is_abc
from musicae.formats.music.bar_grid import Excerpt
from musicae.formats.music.kit import MIN_DRUMS
from musicae.formats.music.parts import Notes
from musicae.formats.music.percussion import CLASS_OF, CLASSES
from musicae.formats.music.tempo_map import seconds_at
from musicae.formats.sound.heads import is_sound
from musicae.memory import check_memory
from musicae.tensors import band, chord_symbols, chords
from musicae.tensors.band import PARTS, RANGES
from musicae.tensors.harmonise import harmonise

__all__ = ["Band"]

SHIFTS = (-5, 6)
"""The transpositions of `Band.augment`, in semitones: each key once."""

_PROGRAMS = {"melody": 0, "bass": 33, "harmony": 0, "drums": 0}  # Of a band that came from no file.
_ATTRIBUTES = {
    "melody": LINE,
    "bass": LINE,
    "harmony": tuple(name for name in LINE if name != "interval"),
    "drums": KIT,
}
_SCORE_ORDER = ("melody", "harmony", "bass", "drums")
_RING = 4  # Steps that a hit counts as sounding.
_COPIES = 2  # Of the tensor, in reading.


class Band(ScoreAdapter):
    """Reads an arrangement as melody, bass, harmony and drums, and writes a track for each.

    `musicae.adapters.shared.arrangement.arrange` has the rule by which tracks become parts, `musicae.tensors.band` the
    channels. Melody and bass are one line each: the top and the bottom one of their tracks, whose other notes go to
    harmony. In harmony a step has at most 8 onsets, the longest and loudest. Loudness is in the tensor.

    Parameters
    ----------
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    """

    suffixes: ClassVar[tuple[str, ...]] = (*midi.SUFFIXES, ".abc")
    writes: ClassVar[tuple[str, ...]] = midi.SUFFIXES
    plays: ClassVar[str] = "band"
    transcribes: ClassVar[bool] = True
    attributes = tuple(f"{part}.{name}" for part in PARTS for name in (*_ATTRIBUTES[part], "loudness"))

    packed_blank: NDArray[Any] | None = band.pack(band.silent().numpy()[:, None], np.zeros((24, 1), np.float32))

    def __init__(
        self, bars: Annotated[int, Meta(ge=1, le=1024)] = 2, steps_per_beat: Annotated[int, Meta(ge=1, le=96)] = 4
    ) -> None:
        super().__init__(band.spec(1), bars, steps_per_beat)

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return .95 for a MIDI file with several tracks that are not (almost) all drums; see `Adapter.sniff`."""
        if is_sound(head):
            return RECORDING
        if is_abc(head):
            return 0.3
        tracks = tracks_in(head, file)
        if tracks is None:
            return 0.9 * super().sniff(head, file)
        several = len(score_parts.parts(tracks)) > 1
        return 0.95 if several and score_parts.share_of_drums(tracks) < MIN_DRUMS else 0.3

    def read(
        self,
        file: File,
        *,
        track: str | int | None = None,
        bars: str | int | None = None,
        transpose: int = 0,
        part: Sequence[str] = (),
    ) -> Sample:
        """Read a file.

        `track` is the melody's; `part` sends tracks to parts, as ``["3=harmony", "Lead=melody"]``. The rest is as for
        other files of notes, see `ScoreAdapter.read`. Raise MusicaeError as that does, and as `arrange` does.
        """
        return self._read(file, partial(self._sample, chosen=[*part, *_melody(track)], bars=bars), transpose)

    def from_score(
        self, loaded: midi.Loaded, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return the band of a score; see `read`. The tensor is ``(C, T)``, in whole bars."""
        return self._sample(loaded, source, chosen=_melody(track), bars=bars)

    def _sample(self, loaded: midi.Loaded, source: str, *, chosen: Sequence[str], bars: str | int | None) -> Sample:
        arrangement = _arrange(loaded, chosen)
        remarks = list(arrangement.remarks)
        notes, found = self._place(loaded, arrangement, bars, remarks)
        grid = bar_grid.complete(found, loaded.score, self.steps_per_beat, self.spec.shape[0])
        details = {
            "tempos": grid.tempos,
            "meters": grid.meters,
            "keys": grid.keys,
            "swing": grid.swing,
            "parts": {
                part: {
                    "programs": lines.programs(own),
                    "track": arrangement.name(part),
                }
                for part, own in notes.items()
                if len(own.start)
            },
            "length": found.length,
            "source": source,
        }
        tensor = torch.from_numpy(band_notes.to_tensor(notes, found.length))
        marks = loaded.chords()
        at = found.steps(np.array([tick for tick, _ in marks]))
        named = list(zip(at.tolist(), (chord for _, chord in marks), strict=True))
        origin = Origin(named, found.length, found.bar, seconds_at(loaded.score, found.start))
        return Sample(tensor, details, grid.hop, remarks + grid.remarks, metadata=origin)

    def pack_score(self, loaded: midi.Loaded, track: str | int | None) -> Packed:
        """Return the band of a score, its chords with it, as bytes."""
        notes, found = self._place(loaded, _arrange(loaded, _melody(track)), None)
        values = band_notes.to_tensor(notes, found.length)
        _, numerator, denominator = found.meters[0]
        bar = 4 * self.steps_per_beat * numerator / denominator
        start, end, pitch, velocity = band_notes.pitched(notes)
        chord = chords.of_notes(start, end, pitch, velocity, found.length, self.steps_per_beat, max(1, round(bar)))
        onset = np.zeros(found.length, bool)
        for own in notes.values():
            onset[own.start] = True
        sounding: NDArray[np.bool_] = band.sounding(torch.from_numpy(values)[None], _RING)[0].numpy()
        return Packed(band.pack(values, chord), onset, np.asarray(sounding.any(0)), bar, sounding)

    def unpacked(self, windows: Windows) -> Windows:
        """Return the windows so that they give bands and chords."""
        steps = windows.data.shape[-1]
        windows.cond = Unpacked(windows.data, (band.CHORD_CHANNELS, steps), band.chords)
        windows.data = Unpacked(windows.data, (self.spec.channels, steps), band.unpack)
        windows.channels = self.spec.channels
        return windows

    def _place(
        self, loaded: midi.Loaded, arrangement: Arrangement, bars: str | int | None, remarks: list[str] | None = None
    ) -> tuple[dict[str, Notes], Excerpt]:
        """Return the notes of each part in steps, and where they lie; beats that swing are made even."""
        score, tracks = loaded.score, arrangement.tracks
        playing = [track for own in tracks.values() for track in own]
        if not playing:
            advice = Line("send one to a part, such as --part 1=harmony", "give another file")
            raise MusicaeError(line_of("none of its tracks plays in the band; ", advice))
        every = score_parts.merge(playing)
        spans = score_parts.spans(playing)
        found = bar_grid.place(
            score, every.start, every.end, bars=bars, steps_per_beat=self.steps_per_beat, tracks=spans
        )
        check_memory(_COPIES * 4 * self.spec.channels * found.length, "the band")
        found = bar_grid.with_swing(found, score, every.start)
        step = score.ticks_per_quarter / self.steps_per_beat
        raw = {part: score_parts.merge(own) for part, own in tracks.items() if own}
        lower = []
        for part, upwards in (("melody", True), ("bass", False)):
            if part in raw:
                line, others = band_notes.line(raw[part], step, upwards)
                raw[part] = line
                lower.append(others)
        if any(len(one.start) for one in lower):
            raw["harmony"] = band_notes.joined([*lower, *([raw["harmony"]] if "harmony" in raw else [])])
        notes: dict[str, Notes] = {}
        for part in (part for part in PARTS if part in raw):
            own = lines.quantise(raw[part], found, self.steps_per_beat, remarks) if part in ("melody", "bass") else None
            placed = band_notes.in_steps(raw[part], found) if own is None else own
            notes[part] = (
                band_notes.folded(placed, part, remarks) if part in RANGES else band_notes.hits(placed, remarks)
            )
        if not any(len(own.start) for own in notes.values()):
            if bars is None:
                raise MusicaeError("it has only drums, and no General MIDI percussion (27..87); give a file with music")
            raise MusicaeError(line_of(f"bars '{bars}' have no notes; ", OTHER_BARS))
        if "harmony" in notes:
            notes["harmony"] = band_notes.prominent(notes["harmony"], remarks)
        return notes, found

    def write(self, sample: Sample, file: File) -> None:
        """Write a band ``(C, T)`` as a type-1 MIDI file with a track for each part that plays.

        Raises
        ------
        MusicaeError : the folder is missing or cannot be written.
        """
        tensor, length = sample.tensor.detach().cpu(), sample.tensor.shape[-1]
        tracks: dict[str, midi.TrackNotes] = {}
        for part in PARTS:
            how = sample.meta["parts"].get(part) or {"programs": [[0, _PROGRAMS[part]]], "track": part.capitalize()}
            start, end, pitch, loud = band_notes.from_tensor(tensor, part)
            steps, programs = zip(*how["programs"], strict=True)
            active = np.maximum(np.searchsorted(steps, start, side="right") - 1, 0)
            notes = Notes(start, end, pitch, loud, np.asarray(programs)[active])
            if len(start):
                name = how["track"].strip() or part.capitalize()
                taken = any(name.lower() == other.name.lower() for other in tracks.values())
                tracks[part] = midi.TrackNotes(notes, f"{name} {part}" if taken else name, part == "drums")
        score = midi.build([*tracks.values()], sample.meta, length, steps_per_beat=self.steps_per_beat)
        mark_parts(score, {part: track.name for part, track in tracks.items()})
        midi.save(score, file, sample.meta.get("encoding", ""))

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a band that came from no file: 120 quarter notes a minute, 4/4, piano and bass."""
        return meta.blank_band(
            {part: {"programs": [[0, program]], "track": part.capitalize()} for part, program in _PROGRAMS.items()}
        )

    def check_meta(self, meta_: Mapping[str, Any]) -> dict[str, Any]:
        """Return the `meta` of a file of codes, checked; see `musicae.adapters.shared.meta.check_band`."""
        return meta.check_band(meta_, self.blank())

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the `meta` between several: programs of the heaviest that has the part; see `meta.mix`."""
        mixed = meta.mix(metas, weights)
        for other in sorted(range(len(metas)), key=lambda i: -weights[i]):
            mixed["parts"] = {**metas[other]["parts"], **mixed["parts"]}
        return mixed

    def keep(self, made: dict[str, Any], of: dict[str, Any], parts: Collection[str]) -> dict[str, Any]:
        """Return `of`, with the instruments of what was `made` in all but `parts`."""
        own = {part: how for part, how in of["parts"].items() if part in parts or part not in made["parts"]}
        return {**of, "parts": {**made["parts"], **own}}

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Join bands end to end, each part with its programs."""
        joined = super().concat(parts)
        joined.meta["parts"] = meta.concat_bands(parts)
        joined.meta["length"] = joined.tensor.shape[-1]
        return joined

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Transpose each example of ``(B, C, T)`` by its own number of semitones, -5..6, all parts alike."""
        return self.augment_with(batch, None, generator)[0]

    def augment_with(
        self, batch: Tensor, cond: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Transpose bands ``(B, C, T)`` and their chords ``(B, 24, T)`` alike."""
        semitones = torch.randint(SHIFTS[0], SHIFTS[1] + 1, (len(batch),), generator=generator)
        moved, semitones = band.transpose(batch, semitones)
        return moved, None if cond is None else band.transpose_chords(cond, semitones)

    def canonical(self, data: Tensor) -> Tensor:
        """Return ``(N, T)`` that are equal if the melodies (or, without one, the basses) are, in whatever key."""
        return band.canonical(data)

    def onsets(self, x: Tensor) -> Tensor:
        """Return where notes begin in ``(N, C, T)``: ``(N, C', T)``, a row for each pitch and drum."""
        return band.onsets(x)

    def notes(self, x: Tensor, part: str) -> core.Notes:
        """Return the notes of a part of ``(N, C, T)``."""
        onsets, loudness = band.part_notes(x, part)
        if part == "drums":
            return core.Notes(onsets, self.steps_per_beat, classes=tuple(CLASSES), loudness=loudness)
        return core.Notes(onsets, self.steps_per_beat, RANGES[part][0], loudness=loudness)

    def sounding(self, x: Tensor) -> Tensor:
        """Return at which steps of ``(N, C, T)`` any part sounds: ``(N, T)``, bool."""
        return band.sounding(x).any(1)

    def chords(self, sample: Sample) -> Tensor:
        """Return the chords of a band ``(24, L)``: those that its file names, or else recognised from its notes.

        For a melody on its own they are found.
        """
        tensor, (_, numerator, denominator) = sample.tensor.detach().cpu(), sample.meta["meters"][0]
        if named := named_chords(sample):
            return torch.from_numpy(chord_symbols.placed(named, tensor.shape[1]))
        bar, beat = max(1, round(4 * self.steps_per_beat * numerator / denominator)), self.steps_per_beat
        notes = {part: band_notes.from_tensor(tensor, part) for part in RANGES}
        if not any(len(notes[part][0]) for part in ("bass", "harmony")):
            start, end, pitch, _ = notes["melody"]
            return torch.from_numpy(harmonise(start, end, pitch, tensor.shape[1], beat, bar))
        start, end, pitch, velocity = (np.concatenate(values) for values in zip(*notes.values(), strict=True))
        return torch.from_numpy(chords.of_notes(start, end, pitch, velocity, tensor.shape[1], beat, bar))

    def rolls(self, sample: Sample) -> list[Roll]:
        """Return the piano rolls of the parts, in the order of a score; the sample's chords are with the first."""
        tensor, made = sample.tensor.detach().cpu(), []
        for part in _SCORE_ORDER:
            start, end, pitch, velocity = band_notes.from_tensor(tensor, part)
            labels = tuple(CLASSES) if part == "drums" else ()
            row = CLASS_OF[pitch] if labels else pitch
            notes = list(zip(start.tolist(), (end - start).tolist(), row.tolist(), strict=True))
            loudness = (velocity / 127).tolist()
            meters = sample.meta["meters"]
            made.append(Roll(notes, tensor.shape[-1], self.steps_per_beat, labels, meters, part, loudness))
        if sample.cond is not None:
            found = chord_symbols.changes(sample.cond.detach().cpu().numpy())
            made[0].chords = [(at, chord_symbols.name(chord)) for at, chord in found]
        return made


def _melody(track: str | int | None) -> list[str]:
    """Return the option `track` of `Band.read` as an entry of `part`."""
    return [] if track is None else [f"{track}=melody"]


def _arrange(loaded: midi.Loaded, chosen: Sequence[str]) -> Arrangement:
    available = score_parts.parts(loaded.tracks)
    if not available:
        raise MusicaeError("it has no notes; give a file with music")
    return arrange(available, chosen, written_parts(loaded.score))
