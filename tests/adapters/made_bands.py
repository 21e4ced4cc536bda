"""Tracks of a band for the tests, and what a band that is read holds."""

from __future__ import annotations

import io

import pytest
import torch

from musicae.adapters.band import Band
from musicae.core import Sample
from musicae.tensors import band as bands
from musicae.tensors import melody_tokens

TUNE = [(i / 2, 0.5, 67 + i % 5) for i in range(16)]
LOW = [(i, 1, 38 + i % 5) for i in range(8)]
CHORDS = [(2 * i, 2, pitch) for i in range(4) for pitch in (55, 60, 64)]
BEAT = [(i / 2, 0.1, 36 if i % 4 == 0 else 42, 100 - i) for i in range(16)]
MELODY = {"name": "Lead", "notes": TUNE, "programs": [(0, 73)]}
BASS = {"name": "Bass", "notes": LOW, "channel": 1, "programs": [(0, 33)]}
PIANO = {"name": "Piano", "notes": CHORDS, "channel": 2}
DRUMS = {"name": "Drums", "notes": BEAT, "channel": 9}


def notes(sample: Sample, part: str) -> list[tuple[int, int, int]]:
    """Return ``(start, end, pitch)`` of the notes of a part; of drums, the class in place of the pitch."""
    rows = sample.tensor[bands.groups_of(part)[0]]
    if part == "drums":
        return [(step, step + 1, kind) for step, kind in rows.T.nonzero().tolist()]
    found = bands.harmony_notes(rows) if part == "harmony" else melody_tokens.notes(melody_tokens.tokens(rows))
    return [(s, e, p + bands.RANGES[part][0]) for s, e, p in zip(*(v.tolist() for v in found), strict=True)]


def playing(sample: Sample) -> set[str]:
    return {part for part in bands.PARTS if notes(sample, part)}


def written(adapter: Band, sample: Sample) -> io.BytesIO:
    stream = io.BytesIO()
    adapter.write(sample, stream)
    stream.seek(0)
    return stream


def again(adapter: Band, sample: Sample) -> Sample:
    return adapter.read(written(adapter, sample))


def same(one: Sample, other: Sample) -> None:
    """Check that two samples are equal, apart from where they came from."""
    assert torch.equal(one.tensor, other.tensor)
    tempos = [[at, pytest.approx(qpm, rel=1e-4)] for at, qpm in one.meta["tempos"]]
    assert one.meta | {"source": "", "tempos": tempos} == other.meta | {"source": ""}
