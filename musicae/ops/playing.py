"""How music that is written is played: its tempo, its instruments, and how high."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from musicae.adapters.shared import meta
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.formats.music.instruments import program_of
from musicae.formats.music.tempo_map import check_tempo
from musicae.formats.music.transposing import check_semitones
from musicae.ops.inputs import read
from musicae.ops.parts import check_parts
from musicae.tensors import band

__all__ = ["Playing", "how_played", "played", "programs_of", "tempo_of"]

_DRUMS = "drums"


@dataclass(frozen=True)
class Playing:
    """How music is played.

    `tempo` is in quarter notes a minute, None for its own; `programs` are General MIDI's, 0 .. 127, by part (``""``:
    all but drums); `semitones` is how much higher.
    """

    tempo: float | None = None
    programs: Mapping[str, int] = field(default_factory=dict)
    semitones: int = 0


def how_played(
    codec: Codec, tempo: float | None = None, program: Sequence[str] = (), semitones: int | None = None
) -> Playing:
    """Return how what a codec makes is to be played.

    `program` has numbers (from 1) or names of instruments, for all parts or for one: ``"flute"``, ``"bass=33"``.
    Raise MusicaeError for a preset that makes no music, a tempo out of range, an instrument or a part that does not
    exist, and an instrument for drums.
    """
    given = {"--tempo": tempo is not None, "--program": bool(program), "--transpose": semitones is not None}
    for option, there in given.items():
        if there and not codec.adapter.plays:
            raise MusicaeError(f"{option} is for music; what '{codec.preset.name}' makes has none, leave it out")
    if tempo is not None:
        check_tempo(tempo)
    check_semitones(semitones or 0)
    return Playing(tempo, dict(_of_part(codec, text) for text in program), semitones or 0)


def _of_part(codec: Codec, text: str) -> tuple[str, int]:
    """Return the part, or ``""`` for all, and the program of one ``--program``."""
    part, equals, instrument = text.rpartition("=")
    part = part.strip().lower()
    if equals:
        check_parts(codec, [part], "--program")
    if _DRUMS in (part, codec.adapter.plays):
        raise MusicaeError("--program: drums have no instrument of their own; leave it out")
    return part, program_of(instrument)


def programs_of(codec: Codec, details: Mapping[str, Any]) -> dict[str, int]:
    """Return the program, 0 .. 127, with which each part begins by the `meta` of a sample; ``""`` is a single line's.

    Drums have none, and neither has what is no music.
    """
    if not codec.adapter.plays or codec.adapter.plays == _DRUMS:
        return {}
    lines = {part: details["parts"].get(part) for part in codec.spec.parts} or {"": details}
    return {part: int(own["programs"][0][1]) for part, own in lines.items() if own and part != _DRUMS}


def tempo_of(codec: Codec, details: Mapping[str, Any]) -> float | None:
    """Return the mean tempo by the `meta` of a sample, in quarter notes a minute; None for what is no music."""
    return meta.average(details, "tempos") if codec.adapter.plays else None


def played(codec: Codec, samples: Sequence[Sample], how: Playing) -> list[Sample]:
    """Return samples of notes that are played so."""
    if how == Playing():
        return [*samples]
    return [_transposed(codec, _played(codec, one, how), how.semitones) for one in samples]


def _played(codec: Codec, one: Sample, how: Playing) -> Sample:
    every = [part for part in codec.spec.parts if part != _DRUMS]
    programs = {part: how.programs[""] for part in every or [""] if "" in how.programs}
    return replace(one, meta=meta.played(one.meta, how.tempo, {**programs, **how.programs}))


def _transposed(codec: Codec, one: Sample, semitones: int) -> Sample:
    """Return a sample so many semitones higher, as it would be read from a file; its chords are moved alike."""
    if not semitones or not codec.adapter.sounding(one.tensor[None]).any():
        return one
    file = io.BytesIO()
    codec.adapter.write(one, file)
    moved = read(codec, file, transpose=semitones)
    cond = one.cond
    if cond is not None and cond.ndim == 2:
        cond = band.transpose_chords(cond[None], torch.tensor([semitones]))[0]
    return replace(one, tensor=moved.tensor, meta=moved.meta, cond=cond)
