"""Drums for taps."""

import io

import numpy as np
import pytest
import soundfile
import torch
from groove_model import ANSWER, beat, drummer

from musicae import drumify
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.tensors import taps
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES

PATTERN = [0, 4, 6, 8, 12, 14, 16, 20, 22, 24, 28, 30]


@pytest.fixture
def recorded(tmp_path):
    """Return a function that writes a recording of taps at so many beats a minute."""

    def write(tempo=100.0, name="taps.wav", steps=PATTERN):
        rng, rate = np.random.default_rng(0), taps.RATE
        samples = 0.001 * rng.standard_normal(int((steps[-1] * 15 / tempo + 1) * rate))
        t = np.arange(1200) / rate
        for i, step in enumerate(steps):
            at = int((0.3 + step * 15 / tempo) * rate)
            samples[at : at + 1200] += (0.8 if i % 3 == 0 else 0.2) * np.exp(-t / 0.01) * rng.standard_normal(1200)
        soundfile.write(tmp_path / name, samples, rate)
        return tmp_path / name

    return write


def steps(sample):
    return sample.tensor[HITS][ANSWER].nonzero().flatten().tolist()


def test_notes_of_any_kind_are_taps_on_the_grid_of_their_file(make_midi):
    file = make_midi({"notes": [(0.02, 0.1, 60, 100), (0.02, 0.1, 64, 40), (1, 0.1, 62, 64)]}, tempos=[(0, 600_000)])
    (made,) = drumify(file, preset=drummer())
    assert made.meta["tempos"] == [[0, 100.0]]
    wanted = beat((0, ANSWER, 100 / 127, 0.08), (4, ANSWER, 64 / 127, 0.0), length=16)
    assert torch.allclose(made.tensor, wanted, atol=0.005)


def test_a_recording_of_taps_gets_drums(recorded):
    (made,) = drumify(recorded(), preset=drummer())
    assert made.meta["tempos"][0][1] == pytest.approx(100, rel=0.01)
    assert steps(made) == PATTERN
    loud = made.tensor[VELOCITIES][ANSWER, PATTERN]
    assert loud[::3].min() > loud[1::3].max()
    assert "12 taps at" in made.remarks[0]
    (slow,) = drumify(io.BytesIO(recorded().read_bytes()), preset=drummer(), tempo=50)
    assert slow.meta["tempos"] == [[0, 50]]
    assert steps(slow)[1] == 2


def test_a_named_tempo_puts_notes_elsewhere(make_midi):
    file = make_midi({"notes": [(i * 0.8, 0.1, 60) for i in range(8)]}, tempos=[(0, 500_000)])
    (made,) = drumify(file, preset=drummer(), tempo=150)
    assert steps(made) == [4 * i for i in range(8)]
    assert made.tensor[OFFSETS].abs().max() < 0.01


def test_the_amount_is_how_much_of_the_feel_is_played(make_midi):
    file = make_midi({"notes": [(0.02, 0.1, 60, 100), (1, 0.1, 62, 50)]})
    (even,) = drumify(file, preset=drummer(), amount=0)
    assert even.tensor[OFFSETS].count_nonzero() == 0
    assert even.tensor[VELOCITIES][ANSWER, [0, 4]].tolist() == pytest.approx([75 / 127] * 2, abs=1e-4)


def test_several_are_drawn_and_a_sample_is_tapped_too():
    codec = drummer()
    given = Sample(beat((0, 0, 1.0, 0.0), (4, 3, 0.5, 0.1)), codec.adapter.blank())
    made = drumify(given, 3, preset=codec)
    assert len(made) == 3
    assert [steps(one) for one in made] == [[0, 4]] * 3
    assert not made[1].tensor.equal(made[2].tensor)


def test_what_is_no_rhythm_is_refused(make_midi, recorded, tmp_path):
    codec = drummer()
    with pytest.raises(MusicaeError, match="--tempo must be"):
        drumify(recorded(), preset=codec, tempo=0)
    soundfile.write(tmp_path / "silent.wav", np.zeros(9000), 22_050)
    with pytest.raises(MusicaeError, match=r"silent\.wav: it is silent"):
        drumify(tmp_path / "silent.wav", preset=codec)
    with pytest.raises(MusicaeError, match=r"two\.wav: 2 tap\(s\) do not tell a tempo; name it"):
        drumify(recorded(name="two.wav", steps=[0, 4]), preset=codec)
    with pytest.raises(MusicaeError, match="it is a recording"):
        drumify(recorded(), preset=codec, bars="1-2")
    (tmp_path / "a.txt").write_text("taps")
    with pytest.raises(MusicaeError, match=r"a\.txt: it is neither MIDI nor sound"):
        drumify(tmp_path / "a.txt", preset=codec)
    with pytest.raises(MusicaeError, match="there is no file"):
        drumify(tmp_path / "none.wav", preset=codec)
    with pytest.raises(MusicaeError, match="give one of them"):
        drumify(make_midi({"notes": [(0, 1, 60)]}), preset=codec, tempo=100, bars="1")
