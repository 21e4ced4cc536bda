import io
import re
from pathlib import Path

import mido
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.adapters.melody import Melody
from musicae.core import Adapter, Sample
from musicae.errors import MusicaeError
from musicae.tensors import melody_tokens

DATA = Path(__file__).parents[2] / "data"
C4 = 2 + 60 - 21
TUNE = [(0, 1, 60), (1, 1, 62), (2, 2, 64)]


@pytest.fixture
def melody() -> Melody:
    return Melody()


def tokens(sample: Sample) -> list[int]:
    assert torch.equal(sample.tensor.sum(0), torch.ones(sample.tensor.shape[1]))
    return melody_tokens.tokens(sample.tensor).tolist()


def onsets(sample: Sample) -> list[tuple[int, int]]:
    """Return ``(step, pitch)`` of each onset."""
    return [(step, token - 2 + 21) for step, token in enumerate(tokens(sample)) if token >= 2]


def sample_of(adapter: Melody, line: list[int], **meta: object) -> Sample:
    return Sample(melody_tokens.one_hot(torch.tensor(line), adapter.spec.channels), adapter.blank() | meta)


def random_line(generator: np.random.Generator, length: int, channels: int = 90) -> list[int]:
    """Return canonical tokens: a hold only goes on from a note."""
    line: list[int] = []
    for draw in generator.random(length):
        if draw < 0.4:
            line.append(int(generator.integers(2, channels)))
        elif draw < 0.75 and line and line[-1] != 0:
            line.append(1)
        else:
            line.append(0)
    return line


def test_it_is_an_adapter(melody):
    assert isinstance(melody, Adapter)
    assert (melody.spec.full_shape, melody.spec.likelihood) == ((90, 32), "categorical")
    small = Melody(bars=1, steps_per_beat=2, low=48, high=83)
    assert small.spec.full_shape == (38, 8)
    for bad in ({"bars": 0}, {"low": 60, "high": 65}, {"high": 128}):
        with pytest.raises(MusicaeError, match=r"\[adapter\]"):
            Melody(**bad)


def test_a_plain_tune_becomes_onsets_holds_and_rests(melody, make_midi):
    sample = melody.read(make_midi({"notes": [(0, 0.5, 60), (0.5, 0.25, 62), (1, 2, 60)]}))
    assert tokens(sample) == [C4, 1, C4 + 2, 0, C4, *[1] * 7, *[0] * 4]
    assert (sample.tensor.dtype, sample.hop) == (torch.float32, 32)


@pytest.mark.parametrize("length", [16, 32, 96])
def test_what_is_written_is_read_back(length, melody, tmp_path):
    generator = np.random.default_rng(length)
    for number in range(25):
        line = random_line(generator, length)
        if max(line) < 2:
            continue
        meters = [[[0, 4, 4]], [[0, 3, 4]], [[0, 2, 4], [8, 4, 4]]][number % 3]
        sample = sample_of(melody, line, meters=meters, tempos=[[0, 90.0], [8, 132.0]])
        melody.write(sample, tmp_path / "out.mid")
        again = melody.read(tmp_path / "out.mid")
        assert tokens(again) == line
        assert again.meta["tempos"] == [[0, pytest.approx(90, rel=1e-5)], [8, pytest.approx(132, rel=1e-5)]]


def test_empty_bars_around_a_written_tune_survive(melody, tmp_path):
    line = [0] * 20 + [C4, 1] + [0] * 42
    melody.write(sample_of(melody, line), tmp_path / "out.mid")
    assert tokens(melody.read(tmp_path / "out.mid")) == line


def test_other_grids_are_read_back_too(tmp_path):
    adapter = Melody(bars=1, steps_per_beat=6, low=36, high=95)
    line = random_line(np.random.default_rng(1), 48, channels=62)
    adapter.write(sample_of(adapter, line), tmp_path / "out.mid")
    assert tokens(adapter.read(tmp_path / "out.mid")) == line


def test_logits_are_written_by_their_largest_and_a_lone_hold_is_a_rest(melody, tmp_path):
    logits = sample_of(melody, [1, 1, C4, 1, 0, 1, C4 + 4, 1] + [0] * 8).tensor * 3.0 - 7.0
    melody.write(Sample(logits.requires_grad_(), melody.blank()), tmp_path / "out.mid")
    assert tokens(melody.read(tmp_path / "out.mid")) == [0, 0, C4, 1, 0, 0, C4 + 4, 1] + [0] * 8


def test_silence_is_written_and_refused_when_read(melody, tmp_path):
    melody.write(sample_of(melody, [0] * 32), tmp_path / "out.mid")
    with pytest.raises(MusicaeError, match="no notes"):
        melody.read(tmp_path / "out.mid")


def test_tempo_meter_program_name_key_and_velocity_survive(melody, make_midi, tmp_path):
    notes = [(0, 1, 60, 40), (1, 2, 62, 90), (3, 3, 64, 127)]
    path = make_midi(
        {"notes": notes, "name": "Flöte".encode().decode("latin-1"), "programs": [(0, 73)]},
        meters=[(0, 3, 4)],
        tempos=[(0, 600_000), (3, 400_000)],
    )
    sample = melody.read(path)
    assert sample.meta["tempos"] == [[0, 100.0], [12, 150.0]]
    assert (sample.meta["meters"], sample.meta["programs"]) == ([[0, 3, 4]], [[0, 73]])
    assert [v for v in sample.meta["velocities"] if v] == [40, 90, 127]
    assert sample.hop == 24
    melody.write(sample, tmp_path / "out.mid")
    again = melody.read(tmp_path / "out.mid")
    assert again.meta | {"source": "song.mid"} == sample.meta
    assert again.meta["track"] == "Flöte"


def test_unknown_velocities_follow_the_bar(melody, tmp_path):
    melody.write(sample_of(melody, [C4] * 32, meters=[[0, 3, 4]]), tmp_path / "out.mid")
    loud = [e.velocity for t in mido.MidiFile(tmp_path / "out.mid").tracks for e in t if e.type == "note_on"]
    assert loud[0] == loud[12] > loud[4] == loud[16] > loud[1] == loud[7]
    assert 70 <= min(loud) <= max(loud) <= 95


def test_a_program_change_midway_is_kept(melody, tmp_path):
    violin = sample_of(melody, [C4, 1, 0, 0] * 4, programs=[[0, 40]])
    flute = sample_of(melody, [C4 + 7, 1, 1, 1] * 4, programs=[[0, 73]], tempos=[[0, 90.0]])
    joined = melody.concat([violin, flute, violin])
    assert joined.meta["programs"] == [[0, 40], [16, 73], [32, 40]]
    assert joined.meta["tempos"] == [[0, 120.0], [16, 90.0], [32, 120.0]]
    melody.write(joined, tmp_path / "out.mid")
    again = melody.read(tmp_path / "out.mid")
    assert torch.equal(again.tensor, joined.tensor)
    assert again.meta["programs"] == joined.meta["programs"]


def test_parts_that_end_inside_a_bar_start_a_new_one(melody):
    part = sample_of(melody, [C4] * 32, meters=[[0, 3, 4]])
    assert melody.concat([part, part]).meta["meters"] == [[0, 3, 4], [32, 3, 4]]
    whole = sample_of(melody, [C4] * 24, meters=[[0, 3, 4]])
    assert melody.concat([whole, whole]).meta["meters"] == [[0, 3, 4]]


def test_what_lies_behind_the_end_of_a_trimmed_part_is_forgotten(melody, tmp_path):
    part = sample_of(
        melody,
        [C4, 1, 1, 1] * 4,
        tempos=[[0, 90.0], [16, 60.0]],
        meters=[[0, 4, 4], [16, 3, 4]],
        programs=[[0, 40], [20, 73]],
        velocities=[70] * 40,
    )
    joined = melody.concat([part, part])
    assert (joined.meta["tempos"], joined.meta["meters"]) == ([[0, 90.0]], [[0, 4, 4]])
    assert (joined.meta["programs"], len(joined.meta["velocities"])) == ([[0, 40]], 32)
    melody.write(part, tmp_path / "out.mid")
    events = [e.type for track in mido.MidiFile(tmp_path / "out.mid").tracks for e in track]
    assert (events.count("set_tempo"), events.count("time_signature"), events.count("marker")) == (1, 1, 0)


def test_velocities_are_put_one_after_another(melody):
    one, two = sample_of(melody, [C4, C4], velocities=[50, 60]), sample_of(melody, [C4, C4])
    assert melody.concat([two, one, one]).meta["velocities"] == [0, 0, 50, 60, 50, 60]
    assert melody.concat([two, two]).meta["velocities"] == []


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


# --- training ------------------------------------------------------------------------------------------------------


def test_augment_transposes_each_example_by_its_own_shift(melody):
    line = torch.tensor([C4, 1, 0, C4 + 12] * 8)
    batch = torch.nn.functional.one_hot(line.expand(400, -1), 90).movedim(-1, 1).float()
    moved = melody.augment(batch, torch.Generator().manual_seed(0))
    assert moved.shape == batch.shape
    assert torch.equal(moved.sum(1), torch.ones(400, 32))
    index = moved.argmax(1)
    shift = index[:, 0] - C4
    assert set(shift.tolist()) == set(range(-5, 7))
    assert torch.equal(index, torch.where(line >= 2, line + shift[:, None], line))
    assert torch.equal(moved, melody.augment(batch, torch.Generator().manual_seed(0)))


def test_augment_stays_in_range_and_leaves_silence(melody):
    lines = torch.tensor([[2, 1, 0, 40], [89, 1, 0, 50], [2, 1, 0, 89], [0, 1, 0, 0]]).repeat(50, 1)
    batch = torch.nn.functional.one_hot(lines, 90).movedim(-1, 1).float()
    index = melody.augment(batch, torch.Generator().manual_seed(1)).argmax(1)
    assert torch.equal(index >= 2, lines >= 2)
    assert torch.equal(index[2::4], lines[2::4])
    assert torch.equal(index[3::4], lines[3::4])
    assert (index[:, 3] - index[:, 0])[0::4].tolist() == [38] * 50
    assert index[0::4, 0].max() == 8
    assert index[1::4, 0].min() == 84


def test_canonical_is_equal_exactly_for_transpositions(melody):
    base = torch.tensor([[1, 40, 1, 0, 45, 38]], dtype=torch.uint8)
    moved = torch.where(base >= 2, base + 44, base)
    other = torch.tensor([[1, 40, 1, 0, 45, 39]], dtype=torch.uint8)
    result = melody.canonical(torch.cat([base, moved, other]))
    assert torch.equal(result[0], result[1])
    assert not torch.equal(result[0], result[2])


# --- what others ask of it -----------------------------------------------------------------------------------------


def test_onsets_and_sounding_steps(melody):
    x = sample_of(melody, [1, C4, 1, 0, C4 + 2]).tensor[None]
    assert melody.onsets(x).shape == (1, 88, 5)
    assert melody.onsets(x)[0].nonzero().tolist() == [[39, 1], [41, 4]]
    assert melody.sounding(x).tolist() == [[True, True, True, False, True]]


def test_the_roll_has_the_notes_at_their_pitches():
    adapter = Melody(low=48, high=83, steps_per_beat=6)
    (roll,) = adapter.rolls(sample_of(adapter, [1, 2, 1, 0, 1, 14, 15, 1], meters=[[0, 3, 4]]))
    assert roll.notes == [(1, 2, 48), (5, 1, 60), (6, 2, 61)]
    assert (roll.length, roll.steps_per_beat, roll.labels, roll.meters) == (8, 6, (), [[0, 3, 4]])


def test_which_files_it_takes(make_midi, tmp_path):
    tune, abc = make_midi({"notes": TUNE}).read_bytes(), b"%abc\nX:1\nK:C\nCDEF|\n"
    drums = (DATA / "rock.mid").read_bytes()
    scores = {}
    for name, data in {"tune": tune, "abc": abc, "drums": drums, "cut": tune[:30], "text": b"no music"}.items():
        stream = io.BytesIO(data)
        stream.seek(3)
        scores[name] = Melody.sniff(data, stream)
        assert stream.tell() == 3
    assert scores == {"tune": 0.9, "abc": 0.9, "drums": 0.4, "cut": 0.9, "text": 0.0}
    for suffix, score in ((".mid", 0.5), (".abc", 0.5), (".wav", 0.0)):
        (tmp_path / f"a{suffix}").write_text("no music")
        assert Melody.sniff(b"no music", tmp_path / f"a{suffix}") == score


# --- for any notes, meter and steps in a beat ----------------------------------------------------------------------


@st.composite
def lines(draw):
    """Draw tokens that hold only what sounds, with an onset at least."""
    line: list[int] = []
    for _ in range(draw(st.integers(1, 50))):
        kinds = ["rest", "onset", "onset", "hold"] if line and line[-1] else ["rest", "onset", "onset"]
        kind = draw(st.sampled_from(kinds))
        line.append(0 if kind == "rest" else 1 if kind == "hold" else draw(st.integers(2, 89)))
    line[draw(st.integers(0, len(line) - 1))] = draw(st.integers(2, 89))
    return line


METERS = st.tuples(st.integers(1, 12), st.sampled_from([1, 2, 4, 8, 16])).filter(lambda meter: meter != (1, 4))
ANY = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def written(adapter: Melody, sample: Sample) -> Sample:
    stream = io.BytesIO()
    adapter.write(sample, stream)
    return adapter.read(stream)


@ANY
@given(lines(), st.integers(1, 24), METERS, st.floats(10, 400), st.integers(0, 127), st.randoms(use_true_random=False))
def test_any_melody_comes_back_with_all_that_is_kept_of_it(line, steps_per_beat, meter, qpm, program, random):
    adapter = Melody(2, steps_per_beat)
    velocities = [random.randint(1, 127) if token >= 2 else 0 for token in line]
    kept = {"tempos": [[0, qpm]], "velocities": velocities, "programs": [[0, program]]}
    again = written(adapter, sample_of(adapter, line, meters=[[0, *meter]], **kept))
    assert tokens(again) == line
    assert again.meta["tempos"] == [[0, pytest.approx(qpm, rel=1e-4)]]
    assert (again.meta["velocities"], again.meta["programs"]) == (velocities, [[0, program]])
    if steps_per_beat * 4 * meter[0] >= meter[1]:  # A bar of a step at least.
        assert again.meta["meters"] == [[0, *meter]]


@ANY
@given(lines(), st.integers(1, 24), METERS, st.lists(st.tuples(st.integers(1, 60), METERS), max_size=3))
def test_notes_keep_their_steps_whatever_the_meter_does(line, steps_per_beat, first, changes):
    adapter = Melody(2, steps_per_beat)
    meters = [[0, *first], *([at, *meter] for at, meter in sorted(dict(changes).items()))]
    assert tokens(written(adapter, sample_of(adapter, line, meters=meters))) == line
