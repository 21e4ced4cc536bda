"""Bands as training has them: packed, transposed, and compared in any key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_bands import BASS, DRUMS, MELODY, PIANO, TUNE, notes

from musicae.adapters.band import SHIFTS, Band
from musicae.core import Sample, Windows
from musicae.tensors import band as bands

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def band() -> Band:
    return Band()


def test_what_is_packed_is_what_is_read(band, make_midi):
    for path in (make_midi(MELODY, BASS, PIANO, DRUMS), DATA / "band.mid", DATA / "greensleeves.mid"):
        packed, sample = band.read_packed(path), band.read(path)
        data = torch.from_numpy(packed.data)[None]
        windows = band.unpacked(Windows(data, torch.zeros(1, dtype=torch.long), packed.data.shape[0]))
        values = windows.batch(torch.tensor([0]))[0]
        torch.testing.assert_close(values, sample.tensor)
        assert windows.cond[torch.tensor([0])].shape == (1, bands.CHORD_CHANNELS, sample.tensor.shape[1])
        assert packed.parts.shape == (4, sample.tensor.shape[1])
        assert np.array_equal(packed.onset, band.onsets(sample.tensor[None])[0].bool().any(0).numpy())
        assert packed.bar == (12 if path.name == "greensleeves.mid" else 16)


def test_a_blank_step_is_silent(band):
    blank = torch.from_numpy(band.packed_blank)[None]
    assert torch.equal(bands.unpack(blank)[0, :, 0], bands.silent())
    assert not bands.chords(blank).any()


def test_augment_moves_all_parts_and_chords_alike(band):
    path = DATA / "band.mid"
    data = torch.from_numpy(band.read_packed(path).data)[None]
    x, chord = bands.unpack(data).repeat(64, 1, 1), bands.chords(data).repeat(64, 1, 1)
    moved, chords = band.augment_with(x, chord, torch.Generator().manual_seed(0))
    assert torch.equal(moved, band.augment(x, torch.Generator().manual_seed(0)))
    shifts = set()
    before = {part: notes(Sample(x[0]), part) for part in bands.PARTS}
    for one, own in zip(moved, chords, strict=True):
        after = {part: notes(Sample(one), part) for part in bands.PARTS}
        assert after["drums"] == before["drums"]
        found = {
            (new[2] - old[2]) % 12
            for part in bands.RANGES
            for old, new in zip(sorted(before[part]), sorted(after[part]), strict=True)
        }
        assert len(found) == 1
        shift = found.pop()
        assert torch.equal(own, torch.cat([half.roll(shift, 0) for half in chord[0].split(12)]))
        shifts.add(shift)
    assert len(shifts) > 8
    assert shifts <= {shift % 12 for shift in range(SHIFTS[0], SHIFTS[1] + 1)}


def test_canonical_is_that_of_the_melody_in_any_key(band, make_midi):
    up = [one | {"notes": [(s, n, p + 3) for s, n, p in one["notes"]]} for one in (MELODY, BASS, PIANO)]
    other = MELODY | {"notes": [(s, n, p + (s == 1)) for s, n, p in TUNE]}
    files = (make_midi(MELODY, BASS, PIANO, DRUMS), make_midi(*up, name="up.mid"), make_midi(other, BASS, name="o.mid"))
    rows = [band.canonical(torch.from_numpy(band.read_packed(path).data)[None]) for path in files]
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
