import io
from pathlib import Path

import mido
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.adapters.drums import Drums
from musicae.core import Adapter, Sample
from musicae.errors import MusicaeError
from musicae.formats.music import midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.percussion import CLASSES

DATA = Path(__file__).parents[2] / "data"
BEAT = [(0, 0.1, 36, 100), (0, 0.1, 42, 60), (1, 0.1, 38, 90), (1.5, 0.1, 46, 50), (2.75, 0.1, 36, 70)]


@pytest.fixture
def drums() -> Drums:
    return Drums()


def kit(notes, **more):
    return {"notes": notes, "channel": 9, **more}


def hits(sample: Sample) -> set[tuple[int, int]]:
    """Return ``(step, class)`` of each hit."""
    assert set(sample.tensor.unique().tolist()) <= {0.0, 1.0}
    return {(int(step), int(channel)) for channel, step in sample.tensor.nonzero()}


def test_it_is_an_adapter(drums):
    assert isinstance(drums, Adapter)
    assert (drums.spec.full_shape, drums.spec.likelihood) == ((9, 32), "bernoulli")
    assert Drums(bars=4, steps_per_beat=2).spec.full_shape == (9, 32)
    with pytest.raises(MusicaeError, match=r"\[adapter\]"):
        Drums(bars=0)


def test_all_notes_of_a_class_are_hits_of_it(drums, make_midi):
    for channel, group in enumerate(CLASSES.values()):
        sample = drums.read(make_midi(kit([(i / 4, 0.1, pitch) for i, pitch in enumerate(group)])))
        assert hits(sample) == {(step, channel) for step in range(len(group))}


def test_hits_and_velocities_are_read(drums, make_midi):
    sample = drums.read(make_midi(kit(BEAT)))
    assert hits(sample) == {(0, 0), (0, 2), (4, 1), (6, 3), (11, 0)}
    assert sample.tensor.shape == (9, 16)
    assert [max(row) for row in sample.meta["velocities"]] == [100, 90, 60, 50, 0, 0, 0, 0, 0]


def test_what_is_written_is_read_back(drums, tmp_path):
    generator = torch.Generator().manual_seed(0)
    for length in (16, 32, 64):
        tensor = (torch.rand(9, length, generator=generator) < 0.2).float()
        velocities = (tensor * torch.randint(1, 128, tensor.shape, generator=generator)).int().tolist()
        sample = Sample(tensor, drums.blank() | {"velocities": velocities, "tempos": [[0, 96.0]]})
        drums.write(sample, tmp_path / "out.mid")
        again = drums.read(tmp_path / "out.mid")
        assert torch.equal(again.tensor, tensor)
        assert again.meta["velocities"] == velocities
        assert again.meta["tempos"] == [[0, pytest.approx(96.0)]]


def test_empty_bars_survive_and_probabilities_are_hits_above_a_half(drums, tmp_path):
    tensor = torch.full((9, 64), 0.4)
    tensor[1, 20] = 0.6
    drums.write(Sample(tensor, drums.blank()), tmp_path / "out.mid")
    again = drums.read(tmp_path / "out.mid")
    assert hits(again) == {(20, 1)}
    assert again.tensor.shape == (9, 64)


def test_it_is_written_on_channel_10_with_an_accent(drums, tmp_path):
    drums.write(Sample(torch.ones(9, 32), drums.blank()), tmp_path / "out.mid")
    notes = [e for t in mido.MidiFile(tmp_path / "out.mid").tracks for e in t if e.type == "note_on" and e.velocity]
    assert {note.channel for note in notes} == {9}
    assert {note.note for note in notes} == {group[0] for group in CLASSES.values()}
    assert notes[0].velocity > notes[9 * 4].velocity > notes[9].velocity
    assert score_parts.share_of_drums(midi.load(tmp_path / "out.mid").tracks) == 1.0


def test_all_drum_tracks_are_read_together(drums, make_midi):
    path = make_midi(kit(BEAT[:2], name="a"), {"notes": [(0, 4, 60)]}, kit(BEAT[2:], name="b"))
    sample = drums.read(path)
    assert hits(sample) == {(0, 0), (0, 2), (4, 1), (6, 3), (11, 0)}
    assert any("2 drum tracks" in remark for remark in sample.remarks)
    assert hits(drums.read(path, track="a")) == {(0, 0), (0, 2)}


def test_the_louder_of_two_hits_in_a_step_is_kept(drums, make_midi):
    sample = drums.read(make_midi(kit([(0, 0.05, 38, 50), (0.05, 0.05, 40, 99), (1, 0.1, 36, 80)])))
    assert sample.meta["velocities"][1][0] == 99
    assert any("1 hit(s)" in remark for remark in sample.remarks)


def test_early_hits_belong_to_the_bar_they_lead_into(drums, make_midi):
    sample = drums.read(make_midi(kit([(3.95, 0.1, 36), (5.03, 0.1, 38)])))
    assert hits(sample) == {(0, 0), (4, 1)}


def test_a_shuffle_is_read_on_even_steps_and_written_swung(drums, make_midi):
    path = make_midi(kit([(i + at, 0.1, 42, 80 + i) for i in range(24) for at in (0, 2 / 3)]))
    sample = drums.read(path)
    assert hits(sample) == {(step, 2) for step in range(0, 96, 2)}
    assert (sample.meta["swing"], sample.remarks[-1][:9]) == ([[0, 2.0]], "it swings")
    stream = io.BytesIO()
    drums.write(sample, stream)
    again = drums.read(stream)
    assert torch.equal(again.tensor, sample.tensor)
    assert again.meta == sample.meta | {"source": ""}
    assert np.flatnonzero(drums.read_packed(path).onset).tolist() == [4 * i + at for i in range(24) for at in (0, 3)]


def test_bars_are_chosen(drums, make_midi):
    path = make_midi(kit([(4 * bar, 0.1, 36 + 2 * (bar % 2)) for bar in range(4)]))
    assert hits(drums.read(path, bars="2")) == {(0, 1)}
    with pytest.raises(MusicaeError, match="end in bar 4"):
        drums.read(path, bars="5")
    gap = make_midi(kit([(0, 0.1, 36), (12, 0.1, 36)]))
    with pytest.raises(MusicaeError, match="have no drums"):
        drums.read(gap, bars="2-3")


def test_a_file_without_drums_asks_for_another_preset(drums, make_midi):
    path = make_midi({"notes": [(0, 1, 60)], "name": "Flute"})
    with pytest.raises(MusicaeError, match="no drums; choose a preset for melodies"):
        drums.read(path)
    with pytest.raises(MusicaeError, match=r"1 Flute \(1 notes\) is not drums; choose a preset for melodies"):
        drums.read(path, track="flute")
    with pytest.raises(MusicaeError, match="no notes"):
        drums.read(make_midi(kit([])))
    with pytest.raises(MusicaeError, match="General MIDI"):
        drums.read(make_midi(kit([(0, 1, 10), (1, 1, 100)])))


def test_a_bass_line_is_no_drums(drums, make_midi):
    with pytest.raises(MusicaeError, match="no drums"):
        drums.read(make_midi({"notes": [(i, 1, 36 + i * 2 % 9) for i in range(8)], "name": "Bass"}))


@pytest.mark.parametrize("name", ["Drums", "Track 1"])
def test_drums_on_another_channel_are_read(name, drums, make_midi):
    beat = [(0, 0.25, 36), (0, 0.25, 42), (1, 0.25, 38), (1.5, 0.25, 42)]
    sample = drums.read(make_midi({"notes": beat, "name": name}))
    assert sample.tensor[:3].nonzero().tolist() == [[0, 0], [1, 4], [2, 0], [2, 6]]
    assert any("not on channel 10" in remark for remark in sample.remarks) == (name != "Drums")


def test_patterns_are_put_one_after_another(drums, make_midi):
    one = drums.read(make_midi(kit(BEAT)))
    two = drums.concat([one, Sample(torch.zeros(9, 16), drums.blank()), one])
    assert torch.equal(two.tensor[:, 32:], one.tensor)
    velocities = np.array(two.meta["velocities"])
    assert velocities.shape == (9, 48)
    assert np.array_equal(velocities[:, 32:], one.meta["velocities"])
    assert not velocities[:, 16:32].any()


def test_augment_begins_a_pattern_at_another_beat(drums):
    batch = (torch.rand(64, 9, 32) < 0.2).float()
    changed = drums.augment(batch, torch.Generator().manual_seed(0))
    turns = torch.stack([batch.roll(-4 * beat, dims=-1) for beat in range(8)])
    same = (turns == changed).flatten(2).all(2)
    assert same.any(0).all()
    assert same.float().argmax(0).unique().numel() > 4
    assert torch.equal(batch.sum((1, 2)), changed.sum((1, 2)))


def test_canonical_changes_nothing(drums):
    batch = torch.rand(4, 9, 32)
    assert torch.equal(drums.canonical(batch), batch)


def test_the_sample_grooves(drums):
    rock, bossa = drums.read(DATA / "rock.mid"), drums.read(DATA / "bossa.mid")
    assert (rock.tensor.shape, bossa.tensor.shape) == ((9, 32), (9, 64))
    assert (rock.remarks, bossa.remarks) == ([], [])
    assert len({v for row in rock.meta["velocities"] for v in row}) > 3


def test_onsets_are_the_hits_and_nothing_rings_on(drums):
    x = torch.zeros(1, 9, 4)
    x[0, 2, 1] = x[0, 5, 1] = 1
    assert torch.equal(drums.onsets(x), x)
    assert drums.sounding(x).tolist() == [[False, True, False, False]]


def test_the_roll_has_a_lane_for_each_class(drums):
    tensor = torch.tensor([[0.0, 1.0], [0.6, 0.4], *[[0.0, 0.0]] * 7])
    (roll,) = drums.rolls(Sample(tensor, drums.blank()))
    assert sorted(roll.notes) == [(0, 1, 1), (1, 1, 0)]
    assert (roll.length, roll.steps_per_beat, roll.labels) == (2, 4, tuple(CLASSES))


def test_which_files_it_takes(make_midi, tmp_path):
    beats = [(i / 4, 0.25, 36) for i in range(90)]
    tune = {"notes": [(i, 1, 60 + i) for i in range(8)]}
    files = {
        "mostly": make_midi(kit(beats), tune, name="mostly.mid"),
        "half": make_midi(kit(beats[:8]), tune, name="half.mid"),
        "silent": make_midi(kit([]), name="silent.mid"),
    }
    for source in (lambda path: path, lambda path: io.BytesIO(path.read_bytes())):
        scores = {name: Drums.sniff(path.read_bytes()[:64], source(path)) for name, path in files.items()}
        assert scores == {"mostly": 0.9, "half": 0.4, "silent": 0.4}
    (tmp_path / "text.mid").write_text("no music")
    assert Drums.sniff(b"no music", tmp_path / "text.mid") == pytest.approx(0.4)
    assert Drums.sniff(b"no music", io.BytesIO(b"no music")) == 0.0
    assert Drums.sniff(b"X:1\nK:C\n", io.BytesIO(b"X:1\nK:C\n")) == 0.0


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60), st.integers(1, 127)), min_size=1, max_size=40),
    st.integers(61, 70),
    st.integers(1, 24),
    st.tuples(st.integers(2, 12), st.sampled_from([1, 2, 4, 8])),
    st.floats(10, 400),
)
def test_any_pattern_comes_back_with_all_that_is_kept_of_it(strokes, length, steps_per_beat, meter, qpm):
    adapter = Drums(2, steps_per_beat)
    velocities = np.zeros((9, length), int)
    for channel, step, velocity in strokes:
        velocities[channel, step] = velocity
    kept = {"velocities": velocities.tolist(), "tempos": [[0, qpm]], "meters": [[0, *meter]]}
    stream = io.BytesIO()
    adapter.write(Sample(torch.from_numpy(velocities > 0).float(), adapter.blank() | kept), stream)
    again = adapter.read(stream)
    assert again.meta["velocities"] == velocities.tolist()
    assert torch.equal(again.tensor, torch.from_numpy(velocities > 0).float())
    assert again.meta["tempos"] == [[0, pytest.approx(qpm, rel=1e-4)]]
    if steps_per_beat * 4 * meter[0] >= meter[1]:
        assert again.meta["meters"] == [[0, *meter]]
