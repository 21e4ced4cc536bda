import io
from pathlib import Path

import mido
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_melodies import C4, TUNE, sample_of, tokens

from musicae.adapters.melody import Melody
from musicae.core import Adapter, Sample
from musicae.errors import MusicaeError

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def melody() -> Melody:
    return Melody()


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
