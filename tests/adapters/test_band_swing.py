"""Bands that swing: read on straight steps, and written swung again."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
import torch
from made_bands import BASS, DRUMS, MELODY, again, notes, same, written

from musicae.adapters.band import Band
from musicae.core import Sample, Windows
from musicae.errors import MusicaeError
from musicae.tensors import band as bands

DATA = Path(__file__).parents[2] / "data"

SWUNG = [*[(i, 2 / 3, 67 + i % 5) for i in range(24)], *[(i + 2 / 3, 1 / 3, 60 + i % 7) for i in range(24)]]
RIDE = {"notes": [(i + at, 0.1, 42) for i in range(24) for at in (0, 2 / 3)], "channel": 9}


@pytest.fixture
def band() -> Band:
    return Band()


def test_a_swung_band_is_read_on_even_steps_and_written_swung(band, make_midi):
    sample = band.read(make_midi(MELODY | {"notes": SWUNG}, BASS, RIDE))
    assert sample.meta["swing"] == [[0, 2.0]]
    assert any("the first eighth of a beat is 2 times as long as the second" in remark for remark in sample.remarks)
    assert not any("made straight" in remark for remark in sample.remarks)
    assert [start for start, _, _ in notes(sample, "melody")] == list(range(0, 96, 2))
    assert [start for start, _, _ in notes(sample, "drums")] == list(range(0, 96, 2))
    same(sample, again(band, sample))
    file = mido.MidiFile(file=written(band, sample))
    (ride,) = [track for track in file.tracks if track.name == "Drums"]
    at, ticks = 0, []
    for event in ride:
        at += event.time
        ticks += [at] if event.type == "note_on" and event.velocity else []
    assert ticks == [round(480 * (i + place)) for i in range(24) for place in (0, 2 / 3)]


def test_a_tempo_that_changes_off_the_beat_stays_with_its_note(band, make_midi):
    tune = [(i + place, 0.3, 67 + i % 5) for i in range(16) for place in (0, 2 / 3)]
    path = make_midi(MELODY | {"notes": tune}, tempos=[(0, 500_000), (4 + 2 / 3, 400_000), (9, 300_000)])
    sample = band.read(path)
    assert sample.meta["swing"] == [[0, 2.0]]
    assert [at for at, _ in sample.meta["tempos"]] == [0, 18, 36]
    file = mido.MidiFile(file=written(band, sample))
    at = np.cumsum([message.time for message in file.tracks[0]])
    found = [tick / 480 for tick, message in zip(at, file.tracks[0], strict=True) if message.type == "set_tempo"]
    assert found == pytest.approx([0, 4 + 2 / 3, 9], abs=1e-3)
    same(sample, again(band, sample))


def test_triplets_of_a_swung_band_fall_on_steps_of_their_own(band, make_midi):
    thirds = [(i / 3, 1 / 3, 60 + i % 3) for i in range(72)]
    sample = band.read(make_midi(MELODY | {"notes": thirds}, BASS))
    assert [start % 4 for start, _, _ in notes(sample, "melody")] == [0, 1, 2] * 24
    same(sample, again(band, sample))


def test_swung_bands_are_packed_as_they_are_read(band, make_midi):
    path = make_midi(MELODY | {"notes": SWUNG}, RIDE)
    packed, sample = band.read_packed(path), band.read(path)
    assert sample.meta["swing"][0][1] > 1
    windows = band.unpacked(Windows(torch.from_numpy(packed.data)[None], torch.zeros(1, dtype=torch.long), 33))
    assert torch.allclose(windows.batch(torch.tensor([0]))[0], sample.tensor, atol=1e-6)


def test_straight_bands_stay_straight(band, make_midi):
    for path in (make_midi(MELODY, BASS, DRUMS), DATA / "band.mid", DATA / "rock.mid", DATA / "greensleeves.mid"):
        assert band.read(path).meta["swing"] == [[0, 1.0]]
    assert b"musicae swing" not in written(band, band.read(DATA / "band.mid")).getvalue()
    compound = make_midi(MELODY | {"notes": SWUNG}, RIDE, meters=[(0, 12, 8)])
    assert band.read(compound).meta["swing"] == [[0, 1.0]]
    assert Band(steps_per_beat=3).read(make_midi(MELODY | {"notes": SWUNG}, RIDE)).meta["swing"] == [[0, 1.0]]


def test_swing_is_mixed_and_joined(band, make_midi):
    late = band.read(make_midi(MELODY | {"notes": SWUNG}, RIDE))
    even = band.read(make_midi(MELODY, DRUMS))
    mixed = band.mix([late.meta, even.meta], [0.5, 0.5])
    assert mixed["swing"] == [[0, pytest.approx(2**0.5)]]
    between = Sample(late.tensor, mixed, late.hop)
    back = again(band, between)
    assert torch.equal(back.tensor, late.tensor)
    assert back.meta["swing"] == [[0, pytest.approx(2**0.5, abs=1e-5)]]
    joined = band.concat([late, even, late])
    assert joined.meta["swing"] == [[0, 2.0], [96, 1.0], [128, 2.0]]
    same(joined, again(band, joined))
    bars = band.read(written(band, joined), bars="7-8")
    assert (bars.meta["swing"], torch.equal(bars.tensor, even.tensor)) == ([[0, 1.0]], True)


def test_few_swung_notes_come_back_too(band):
    tensor = bands.silent()[:, None].repeat(1, 16)
    rows, loud = bands.groups_of("drums")
    tensor[rows.start, 2] = 1
    tensor[loud.start, 2] = 1
    sample = Sample(tensor, band.blank() | {"swing": [[0, 1.75]], "length": 16})
    assert torch.equal(again(band, sample).tensor, tensor)


@pytest.mark.parametrize("wrong", [[], [[0, 0.0]], [[0, 9.0]], [[1, 1.0]], [[0, float("nan")]], 2.0])
def test_a_damaged_swing_is_one_line(wrong, band):
    with pytest.raises(MusicaeError, match="meta is damaged"):
        band.check_meta({"swing": wrong})
