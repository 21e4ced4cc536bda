"""The base of adapters for files of notes: reading, joining, mixing and rendering; each adds its own tensors."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from musicae.adapters.shared import meta
from musicae.adapters.shared.meta import check
from musicae.core import Adapter, Attribute, Candidate, File, Notes, Packed, Sample, Spec
from musicae.errors import MusicaeError, line_of
from musicae.formats.files import name_of
from musicae.formats.music import midi
from musicae.formats.music.tracks import Tracks
from musicae.formats.sound.heads import is_sound, sound_head

__all__ = ["KIT", "LINE", "RECORDING", "ScoreAdapter", "is_recording", "tracks_in"]

LINE = ("density", "pitch", "range", "interval", "syncopation", "syncopation16", "key", "repetition")
"""The attributes of a line of notes."""

KIT = ("density", "syncopation", "syncopation16", "hihat", "repetition")
"""The attributes of drums."""


RECORDING = 0.1
"""How well an adapter of notes fits a recording, which it can transcribe: adapters of sound come first."""


def is_recording(file: File) -> bool:
    """Tell whether the content of a file is sound; a stream keeps its position."""
    if isinstance(file, Path):
        return file.is_file() and is_sound(sound_head(file))
    at = file.tell()
    try:
        return is_sound(sound_head(file))
    finally:
        file.seek(at)


def tracks_in(head: bytes, file: File) -> Tracks | None:
    """Return the tracks of a MIDI file: none for a damaged one, None if it is not MIDI.

    `head` is how the file begins. A stream keeps its position.
    """
    if not midi.is_midi(head):
        return None
    try:
        return _peek(file).tracks
    except MusicaeError:
        return Tracks.none()


def _peek(file: File) -> midi.Loaded:
    """Read a file of notes; a stream keeps its position."""
    at = 0 if isinstance(file, Path) else file.tell()
    try:
        return midi.load(file)
    finally:
        if not isinstance(file, Path):
            file.seek(at)


class ScoreAdapter(Adapter):
    """The base of adapters whose windows are bars of steps. A subclass implements `from_score`, `write` and `blank`.

    Parameters
    ----------
    spec : its channels and likelihoods; its shape is that of a window.
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    """

    free_settings: ClassVar[tuple[str, ...]] = ("bars",)

    transcribes: ClassVar[bool] = False
    """Whether it reads a recording of one voice or one instrument too, by way of its notes."""

    velocity_rows: int = 0
    """How many lists the `velocities` of a sample's `meta` are; 0 where they are numbers."""

    def __init__(self, spec: Spec, bars: int, steps_per_beat: int) -> None:
        if bars < 1 or steps_per_beat < 1:
            raise MusicaeError("[adapter] bars and steps_per_beat must be at least 1")
        self.steps_per_beat = steps_per_beat
        self._spec = replace(spec, shape=(bars * 4 * steps_per_beat,))

    @classmethod
    def select(cls, file: File, candidates: Sequence[Candidate], scale: int = 1) -> Candidate:
        """Return the candidate with the longest windows that the music fills; the one with the shortest if none.

        Raise MusicaeError for a file that cannot be read.
        """
        by_bars = sorted(candidates, key=lambda one: one.settings["bars"])
        if len(by_bars) == 1 or is_recording(file):
            return by_bars[0]
        score = _peek(file).score
        bars = (score.end() - score.start()) / (4 * score.ticks_per_quarter)
        return [one for one in by_bars if one is by_bars[0] or one.settings["bars"] <= bars][-1]

    @property
    def spec(self) -> Spec:
        """One window: ``(C, bars * 4 * steps_per_beat)``."""
        return self._spec

    def read(
        self, file: File, *, track: str | int | None = None, bars: str | int | None = None, transpose: int = 0
    ) -> Sample:
        """Read a file.

        Parameters
        ----------
        file : a MIDI file (or an ABC file, if the adapter has that suffix), or a stream of its bytes.
        track : a track's number (from 1, over the tracks with notes) or (part of) its name; None leaves the choice
            to the adapter.
        bars : which bars, as ``"5-8"`` or ``"3"``, numbered as in the file; None for all.
        transpose : by how many semitones up, at most 24 (down: under 0); drums stay as they are.

        Raises
        ------
        MusicaeError : a file that cannot be read, that has nothing for this adapter, or lacks the track or bars.
        """
        return self._read(
            file, lambda loaded, source: self.from_score(loaded, track=track, bars=bars, source=source), transpose
        )

    def _read(self, file: File, convert: Callable[[midi.Loaded, str], Sample], transpose: int) -> Sample:
        """Parse a file, transpose it and convert it; `convert` gets its name too."""
        loaded = self._load(file).transposed(transpose)
        try:
            sample = convert(loaded, file.name if isinstance(file, Path) else "")
        except MusicaeError as error:
            raise MusicaeError(line_of(f"{name_of(file)}: ", error)) from None
        sample.remarks[:0] = loaded.remarks
        if loaded.encoding:
            sample.meta["encoding"] = loaded.encoding
        return sample

    def _load(self, file: File) -> midi.Loaded:
        """Parse a file of notes, or transcribe a recording."""
        if not (self.transcribes and is_recording(file)):
            return midi.load(file)
        from musicae.adapters.shared.transcription import transcribe

        return transcribe(file).loaded()

    def read_packed(self, file: File, *, track: str | int | None = None) -> Packed | Sample:
        """Return the whole tensor of a file as training keeps it, without what it does not need; see `read`."""
        loaded = midi.load(file)
        try:
            packed = self.pack_score(loaded, track)
            return self.from_score(loaded, track=track) if packed is None else packed
        except MusicaeError as error:
            raise MusicaeError(line_of(f"{name_of(file)}: ", error)) from None

    def pack_score(self, loaded: midi.Loaded, track: str | int | None) -> Packed | None:
        """Return the tensor that `from_score` gives, packed; None to leave it to that."""
        return None

    @abstractmethod
    def from_score(
        self, loaded: midi.Loaded, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return the sample of a parsed file; `source` is its name, the other options are those of `read`."""

    def notes(self, x: Tensor, part: str) -> Notes:
        """Return the notes of windows ``(B, C, T)``, of one `part` where there are several; for its `attributes`."""
        raise MusicaeError("this adapter's windows have no attributes")

    def measure(self, attribute: Attribute, x: Tensor, part: str = "") -> Tensor:
        """Return an attribute of the notes of windows ``(B, C, T)``, ``(B,)``."""
        return attribute.of_notes(self.notes(x, part))

    def check_meta(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return the `meta` of a file of codes, checked; see `musicae.adapters.shared.meta.check`."""
        return check(meta, self.velocity_rows, self.blank())

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the `meta` between several; see `musicae.adapters.shared.meta.mix`."""
        return meta.mix(metas, weights)

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Join samples end to end, each with its tempo, meter, program and condition."""
        tensor = torch.cat([part.tensor for part in parts], dim=-1)
        remarks = [remark for part in parts for remark in part.remarks]
        joined = meta.concat(parts, self.steps_per_beat)
        return Sample(tensor, joined, parts[0].hop, remarks, _concat_conditions(parts))

    def render(self, sample: Sample, file: File) -> str:
        """Render a sample as WAV, by way of MIDI; return a remark that says which synthesiser was used."""
        from musicae.formats.music.synth import render

        written = io.BytesIO()
        self.write(sample, written)
        return render(written, file, "the result")


def _concat_conditions(parts: Sequence[Sample]) -> Tensor | None:
    """Return conditions ``(K, L)`` end to end, or the first of conditions ``(K,)``; None unless all parts have one."""
    conditions = [part.cond for part in parts if part.cond is not None]
    if len(conditions) < len(parts):
        return None
    return torch.cat(conditions, dim=-1) if conditions[0].ndim == 2 else conditions[0]
