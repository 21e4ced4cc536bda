"""Melodies: which track, which notes and which bars of a file are read."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from made_melodies import C4, TUNE, onsets, tokens

from musicae.adapters.melody import Melody
from musicae.errors import MusicaeError

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def melody() -> Melody:
    return Melody()


# --- which track, which notes --------------------------------------------------------------------------------------

CHORDS = [(2 * i, 2, p) for i in range(8) for p in (55, 59, 64)]
BASS = [(i, 1, 40 + i % 3) for i in range(16)]
LINE = [(i, 1, 72 + i % 5) for i in range(16)]


@pytest.mark.parametrize("name", ["Melody", "LEAD VOCALS", "Solo Violin", "Gesang", "Voix", "Soprano", "主旋律"])
def test_a_name_that_sings_wins(name, melody, make_midi):
    low = [(i, 1, 48 + i % 5) for i in range(16)]
    path = make_midi({"notes": LINE, "name": "Synth"}, {"notes": low, "name": name.encode().decode("latin-1")})
    sample = melody.read(path)
    assert onsets(sample)[0] == (0, 48)
    assert any("for its name" in remark for remark in sample.remarks)


@pytest.mark.parametrize("names", [("", "", ""), ("Vocal harmony", "Bass voice", "Oboe")])
def test_without_a_name_pitch_and_shape_decide(names, melody, make_midi):
    path = make_midi(*({"notes": n, "name": name} for n, name in zip((CHORDS, BASS, LINE), names, strict=True)))
    sample = melody.read(path)
    assert onsets(sample)[0] == (0, 72)
    assert "track 3" in sample.remarks[0]


def test_the_track_can_be_chosen(melody, make_midi):
    path = make_midi({"notes": LINE, "name": "Melody"}, {"notes": BASS, "name": "Bass"})
    assert onsets(melody.read(path, track="bass")) == onsets(melody.read(path, track=2)) != onsets(melody.read(path))
    with pytest.raises(MusicaeError, match=re.escape("choose from 1 Melody (16 notes), 2 Bass (16 notes)")):
        melody.read(path, track=3)


def test_drums_are_never_the_melody(melody, make_midi):
    drums = {"notes": [(i / 2, 0.5, 42) for i in range(64)], "channel": 9, "name": "Melody"}
    both = make_midi(drums, {"notes": TUNE}, name="both.mid")
    assert onsets(melody.read(both)) == [(0, 60), (4, 62), (8, 64)]
    with pytest.raises(MusicaeError, match="is drums; choose another with --track, or a preset for drums"):
        melody.read(both, track=1)
    with pytest.raises(MusicaeError, match=r"only.mid: it has only drums; choose a preset for drums"):
        melody.read(make_midi(drums, name="only.mid"))


def test_no_notes_is_said(melody, make_midi):
    with pytest.raises(MusicaeError, match="it has no notes"):
        melody.read(make_midi({"notes": []}))


def test_chords_give_their_top_and_accompaniment_is_left_out(melody, make_midi):
    chords = [(i, 1, p) for i in range(4) for p in (60, 64, 67 + i)]
    under = [(0.5, 0.25, 50), (1.25, 0.5, 66)]
    sample = melody.read(make_midi({"notes": chords + under}))
    assert onsets(sample) == [(0, 67), (4, 68), (8, 69), (12, 70)]
    assert any("10 of 14 notes are below" in remark for remark in sample.remarks)


def test_legato_is_cut_not_dropped(melody, make_midi):
    falling = [(0, 1.1, 72), (1, 1.2, 71), (2, 1.1, 69), (3, 0.6, 67), (3.5, 0.5, 65)]
    sample = melody.read(make_midi({"notes": falling}))
    assert onsets(sample) == [(0, 72), (4, 71), (8, 69), (12, 67), (14, 65)]
    assert 0 not in tokens(sample)


def test_a_low_note_after_a_high_one_has_ended_belongs_to_the_line(melody, make_midi):
    sample = melody.read(make_midi({"notes": [(0, 1, 72), (0, 4, 50), (1.5, 0.5, 60)]}))
    assert onsets(sample) == [(0, 72), (6, 60)]


def test_a_grace_note_gives_way_to_its_main_note(melody, make_midi):
    sample = melody.read(make_midi({"notes": [(0, 0.1, 74), (0.1, 0.9, 72), (1, 1, 71)]}))
    assert onsets(sample) == [(0, 72), (4, 71)]
    assert any("1 onset(s) fell on the same step as another" in remark for remark in sample.remarks)


def test_pitches_out_of_range_are_moved_by_octaves(melody, make_midi):
    sample = melody.read(make_midi({"notes": [(0, 1, 20), (1, 1, 5), (2, 1, 109), (3, 1, 127), (4, 1, 108)]}))
    assert [pitch for _, pitch in onsets(sample)] == [32, 29, 97, 103, 108]
    assert any("4 note(s) outside" in remark for remark in sample.remarks)


def test_triplets_and_swing_are_said_to_be_lost(melody, make_midi):
    few = [(beat + off, 0.3, 60 + beat) for beat in range(8) for off in (0, 2 / 3)]
    remarks = melody.read(make_midi({"notes": few})).remarks
    assert any("50% of the onsets moved" in remark for remark in remarks)
    assert any("triplets or swing" in remark for remark in remarks)
    assert melody.read(make_midi({"notes": TUNE})).remarks == []


def test_a_tune_that_swings_is_read_on_even_steps_and_written_swung(melody, make_midi):
    swung = [(beat + off, 0.3, 60 + beat % 9) for beat in range(24) for off in (0, 2 / 3)]
    path = make_midi({"notes": swung})
    sample = melody.read(path)
    assert sample.meta["swing"] == [[0, 2.0]]
    assert [at for at, _ in onsets(sample)] == list(range(0, 96, 2))
    assert any("2 times as long as the second" in remark for remark in sample.remarks)
    stream = io.BytesIO()
    melody.write(sample, stream)
    again = melody.read(stream)
    assert torch.equal(again.tensor, sample.tensor)
    assert again.meta == sample.meta | {"source": ""}
    # What training reads stays straight, as the shipped weights know it.
    assert np.flatnonzero(melody.read_packed(path).onset).tolist() == [4 * i + at for i in range(24) for at in (0, 3)]


def test_all_tracks_tell_whether_a_tune_swings(melody, make_midi):
    ride = {"notes": [(i + at, 0.1, 42) for i in range(24) for at in (0, 2 / 3)], "channel": 9}
    tune = {"notes": [(4 * i + 2 / 3, 1, 60 + i) for i in range(6)]}
    assert [at for at, _ in onsets(melody.read(make_midi(tune, ride)))] == [16 * i + 2 for i in range(6)]
    assert [at for at, _ in onsets(melody.read(make_midi(tune)))] == [16 * i + 3 for i in range(6)]


# --- bars ----------------------------------------------------------------------------------------------------------


def test_each_thing_that_made_others_fail_is_read(melody, make_midi):
    one_bar = melody.read(make_midi({"notes": TUNE}, name="one.mid"))
    assert one_bar.tensor.shape == (90, 16)
    empty_first = melody.read(make_midi({"notes": [(at + 8, *rest) for at, *rest in TUNE]}, name="late.mid"))
    assert torch.equal(empty_first.tensor, one_bar.tensor)
    assert any("2 empty bar(s)" in remark for remark in empty_first.remarks)
    pickup = melody.read(make_midi({"notes": [(2.5, 0.5, 67), (3, 3, 60)]}, meters=[(0, 3, 4)], name="pickup.mid"))
    assert onsets(pickup) == [(10, 67), (12, 60)]
    assert pickup.tensor.shape == (90, 24)


def test_bars_that_are_chosen_start_with_their_own_notes(melody, make_midi):
    path = make_midi({"notes": [(0, 5, 60), (6, 1, 62), (12, 3.9, 64)]})
    sample = melody.read(path, bars="2-3")
    assert tokens(sample) == [0] * 8 + [C4 + 2, 1, 1, 1] + [0] * 20
    with pytest.raises(MusicaeError, match="'3' have no notes"):
        melody.read(path, bars="3")
    with pytest.raises(MusicaeError, match="write 5-8 or 3"):
        melody.read(path, bars="bar 2")


def test_notes_a_little_early_or_late_fall_on_their_step(melody, make_midi):
    sample = melody.read(make_midi({"notes": [(3.9, 1, 60), (5.1, 0.9, 62), (6.05, 2.05, 64)]}))
    assert onsets(sample) == [(0, 60), (4, 62), (8, 64)]
    assert sample.tensor.shape[1] == 16


def test_a_recording_off_its_bar_lines_is_moved_onto_them(melody, make_midi):
    late = 0.25 * 0.45 + 0.5
    tune = [(late + i, 0.9, 72 + i % 3) for i in range(32)]
    chords = [(late + 4 * i, 4, p) for i in range(8) for p in (48, 52, 55, 59)]
    sample = melody.read(make_midi({"notes": tune, "name": "Melody"}, {"notes": chords}))
    assert [step for step, _ in onsets(sample)] == list(range(0, 128, 4))
    assert any("off the file's bar lines" in remark for remark in sample.remarks)
    alone = melody.read(make_midi({"notes": tune}))
    assert [step for step, _ in onsets(alone)] == list(range(2, 130, 4))


def test_bars_that_are_right_are_believed(melody, make_midi):
    offbeat = [(i + 0.5, 0.4, 72 + i % 3) for i in range(32)]
    chords = [(i + half, 0.5, p) for i in range(32) for half in (0, 0.5) for p in (48, 52)]
    sample = melody.read(make_midi({"notes": offbeat, "name": "Melody"}, {"notes": chords}))
    assert [step for step, _ in onsets(sample)] == list(range(2, 130, 4))


@pytest.mark.parametrize("tpq", [1, 97, 480, 32767])
def test_any_resolution_is_read(tpq, melody, make_midi):
    assert onsets(melody.read(make_midi({"notes": TUNE}, tpq=tpq))) == [(0, 60), (4, 62), (8, 64)]


def test_ten_hours_and_ten_thousand_tracks(melody, make_midi):
    path = make_midi({"notes": [(i, 1, 60 + i % 12) for i in range(72_000)]}, tpq=24, name="long.mid")
    assert melody.read(path).tensor.shape == (90, 288_000)
    path = make_midi(*({"notes": [(0, 1, 50 + i % 20)], "name": "x"} for i in range(10_000)), tpq=24, name="wide.mid")
    assert melody.read(path).tensor.shape == (90, 16)
    with pytest.raises(MusicaeError, match="and 9988 more"):
        melody.read(path, track="y")


def test_abc_is_read(melody, tmp_path):
    (tmp_path / "tune.abc").write_text("X:1\nT:Tune\nM:3/4\nL:1/4\nK:G\nD|GAB|c2A|GAF|G2|]\n")
    sample = melody.read(tmp_path / "tune.abc")
    assert onsets(sample)[:4] == [(8, 62), (12, 67), (16, 69), (20, 71)]
    assert (sample.hop, sample.meta["track"]) == (24, "Tune")
    again = melody.read(io.BytesIO((tmp_path / "tune.abc").read_bytes()))
    assert torch.equal(again.tensor, sample.tensor)
    assert again.meta == sample.meta | {"source": ""}


def test_the_sample_tunes():
    melody = Melody()
    lengths = {name: melody.read(DATA / f"{name}.mid").tensor.shape[1] for name in ("twinkle", "ode-to-joy", "band")}
    assert lengths == {"twinkle": 128, "ode-to-joy": 128, "band": 128}
    greensleeves = melody.read(DATA / "greensleeves.mid")
    assert onsets(greensleeves)[:2] == [(10, 69), (12, 72)]
    assert (greensleeves.tensor.shape[1], greensleeves.hop) == (9 * 12, 24)
    assert "track 3 Lead melody" in melody.read(DATA / "band.mid").remarks[0]
