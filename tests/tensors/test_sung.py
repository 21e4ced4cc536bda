"""The notes of one voice."""

import numpy as np
import pytest
from sung_tune import TUNE, voice

from musicae.tensors import sung
from musicae.tensors.sung import RATE, _pieces, _quietest, follow


@pytest.fixture(scope="module")
def line():
    return follow([voice(TUNE)])


def test_its_pitches_and_times(line):
    assert line.pitch.tolist() == [pitch for pitch, _ in TUNE]
    onsets = 0.2 + np.cumsum([0, *(seconds for _, seconds in TUNE[:-1])])
    assert np.abs(line.start - onsets).max() < 0.03
    assert np.abs(line.end - onsets - [seconds for _, seconds in TUNE]).max() < 0.1
    assert line.seconds == pytest.approx(2.45, abs=0.01)
    assert line.clear > 0.8
    assert abs(line.tuning) < 0.08
    assert len(line.curve) == int(np.ceil(line.seconds * RATE / sung.HOP))
    inside = int(0.35 * RATE / sung.HOP)
    assert line.curve[inside] == pytest.approx(60, abs=0.2)


def test_a_voice_out_of_tune_with_vibrato():
    line = follow([voice([(55, 0.6), (59, 0.6), (57, 0.6)], cents=35, vibrato=0.4)])
    assert line.pitch.tolist() == [55, 59, 57]
    assert line.tuning == pytest.approx(0.35, abs=0.1)


def test_the_size_of_blocks_and_the_level_do_not_matter(line):
    samples = voice(TUNE)
    again = follow([0.02 * block for block in np.array_split(samples, 7)])
    assert again.pitch.tolist() == line.pitch.tolist()
    assert again.start == pytest.approx(line.start)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0, np.float32), np.zeros(100, np.float32), np.zeros(RATE, np.float32),
     0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)],
    ids=["nothing", "little", "silence", "noise"],
)  # fmt: skip
def test_without_a_pitch_there_are_no_notes(samples):
    line = follow([samples] if len(samples) else [])
    assert not len(line.start)
    assert line.clear < 0.3


def test_a_long_recording_is_cut_where_it_is_quiet():
    rng = np.random.default_rng(0)
    sound = rng.standard_normal(65 * RATE).astype(np.float32)
    sound[25 * RATE : 26 * RATE] = 0
    seconds = []
    pieces = list(_pieces(np.array_split(sound, 9)))
    assert np.array_equal(np.concatenate(pieces), sound)
    assert 25 * RATE <= len(pieces[0]) <= 26 * RATE
    assert all(len(piece) <= 40 * RATE for piece in pieces)
    assert _quietest(sound[24 * RATE : 30 * RATE]) % sung.HOP == 0
    follow(np.array_split(np.zeros(50 * RATE, np.float32), 5), seconds.append)
    assert seconds[-1] == 50
