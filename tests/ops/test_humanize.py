"""Programmed drums, played."""

import io

import numpy as np
import pytest
import torch
from groove_model import LATE, LOUD, beat, drummer, written
from mirror_model import exact

from musicae import humanize
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.formats.music.midi_bytes import parse
from musicae.ops.grooves import Widening
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES

BEAT = {"notes": [(i / 2, 0.1, (36, 42, 40, 42)[i % 4], 100) for i in range(40)], "channel": 9, "name": "Kit"}
TUNE = {"notes": [(i, 0.9, 60 + i % 5) for i in range(20)], "name": "Tune", "programs": [(0, 4)]}


@pytest.fixture(autouse=True)
def _as_said(monkeypatch):
    monkeypatch.setattr("musicae.ops.humanize.widening", lambda codec: Widening.none())


def test_the_drums_of_a_song_are_played_and_all_else_stays(make_midi):
    codec, song = drummer(), make_midi(TUNE, BEAT, tempos=[(0, 600_000)])
    made, out = humanize(song, preset=codec), io.BytesIO()
    codec.adapter.write(made, out)
    again = codec.adapter.read(io.BytesIO(out.getvalue()))
    struck = again.tensor[HITS] > 0
    assert struck.equal(codec.adapter.read(song).tensor[HITS] > 0)
    # All of them would be late by as much: beside a tune they are on the beat on average.
    assert again.tensor[OFFSETS][struck].abs().max() <= 0.5 / 120
    assert torch.allclose(again.tensor[VELOCITIES][struck], torch.tensor(LOUD), atol=0.5 / 127 + 1e-6)
    assert made.tensor.shape[1] == again.tensor.shape[1] == 80
    before, after = (parse(data, "") for data in (song.read_bytes(), out.getvalue()))
    assert before.tracks[:2] == after.tracks[:2]
    # Rimshots stay rimshots.
    assert after.tracks[2].count(bytes([0x99, 40])) == before.tracks[2].count(bytes([0x99, 40])) == 10


def test_drums_alone_and_those_played_like_others_keep_what_they_are_late_by(make_midi, tmp_path):
    alone = humanize(make_midi(BEAT), preset=drummer())
    assert alone.tensor[OFFSETS][alone.tensor[HITS] > 0].unique().tolist() == [LATE]
    like = written(tmp_path / "like.mid", beat((0, 0, 0.9, 0.25), (16, 1, 0.9, 0.25)))
    hits = {"notes": [(0, 0.1, 36), (4, 0.1, 38)], "channel": 9}
    made = humanize(make_midi(TUNE, hits), preset=drummer(), like=like)
    assert made.tensor[OFFSETS][made.tensor[HITS] > 0].mean().item() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("amount", [0.0, 0.5])
def test_the_amount_is_part_of_the_way(make_midi, amount):
    codec, song = drummer(), make_midi(BEAT)
    made = humanize(io.BytesIO(song.read_bytes()), preset=codec, amount=amount)
    struck = made.tensor[HITS] > 0
    assert np.allclose(made.tensor[OFFSETS][struck], amount * LATE)
    assert np.allclose(made.tensor[VELOCITIES][struck], 100 / 127 + amount * (LOUD - 100 / 127))


def test_drums_are_played_like_an_example(make_midi, tmp_path):
    like = written(tmp_path / "like.mid", beat((0, 0, 0.9, 0.25), (16, 1, 0.9, 0.25)))
    made = humanize(make_midi({"notes": [(0, 0.1, 36), (4, 0.1, 38)], "channel": 9}), preset=drummer(), like=like)
    assert made.tensor[OFFSETS][made.tensor[HITS] > 0].tolist() == pytest.approx([0.25, 0.25], abs=0.01)
    assert made.tensor[VELOCITIES][made.tensor[HITS] > 0].tolist() == pytest.approx([0.9, 0.9], abs=0.01)


def test_a_sample_is_played_too():
    codec = drummer()
    made = humanize(Sample(beat((0, 0, 1.0, 0.0), (4, 1, 1.0, 0.0)), codec.adapter.blank()), preset=codec)
    assert made.metadata is None
    assert made.tensor.equal(beat((0, 0, LOUD, LATE), (4, 1, LOUD, LATE)))


def test_what_cannot_be_played_is_refused(make_midi):
    with pytest.raises(MusicaeError, match="it has no drums"):
        humanize(make_midi(TUNE), preset=drummer())
    with pytest.raises(MusicaeError, match="amount must be between"):
        humanize(make_midi(BEAT), preset=drummer(), amount=2)
    with pytest.raises(MusicaeError, match="is not for grooves"):
        humanize(make_midi(BEAT), preset=exact())
    with pytest.raises(MusicaeError, match="drums are not transposed"):
        humanize(make_midi(BEAT), preset=drummer(), transpose=2)
