"""What is heard in recordings: beats, pitches, chords."""

import numpy as np
import pytest

from musicae.tensors.chord_symbols import name
from musicae.tensors.recorded import RATE, _filled, _means, beats_of, what_sounds


def tones(pitches, seconds, harmonics=(1.0, 0.5, 0.3, 0.2)):
    """Return tones with harmonics that fade a little."""
    t = np.arange(int(seconds * RATE)) / RATE
    hertz = [440 * 2 ** ((pitch - 69) / 12) for pitch in pitches]
    sound = sum(a * np.sin(2 * np.pi * f * k * t) for f in hertz for k, a in enumerate(harmonics, start=1))
    return (0.05 * sound * np.exp(-1.5 * t)).astype(np.float32)


def test_the_chords_of_a_recording():
    shapes = [(36, 60, 64, 67), (43, 59, 62, 67), (45, 60, 64, 69), (41, 60, 65, 69)]
    sound = np.concatenate([tones(shape, 0.5) for shape in shapes for _ in range(4)] * 2)
    heard = beats_of(sound)
    assert heard.tempo == pytest.approx(120, abs=3)
    assert heard.times[0] == 0
    assert heard.times[-1] == pytest.approx(16)
    assert heard.weights.shape == heard.bass.shape == (12, len(heard.times) - 1)
    found, first = heard.chords()
    assert first == 0
    middles = (np.array(heard.times[:-1]) + heard.times[1:]) / 2
    named = [name(chord) for chord in found]
    right = [got == ("C", "G", "Am", "F")[int(at // 2) % 4] for got, at in zip(named, middles, strict=True)]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("seconds", [0.01, 0.3, 3])
def test_silence_has_no_chords_however_short(seconds):
    heard = beats_of(np.zeros(int(seconds * RATE), np.float32))
    assert not heard.weights.any()
    assert {name(chord) for chord in heard.chords()[0]} == {"N.C."}


def test_beats_go_on_to_both_ends():
    assert _filled(np.array([1.1, 1.6, 2.1]), 4.0) == pytest.approx([0, 0.6, 1.1, 1.6, 2.1, 2.6, 3.1, 3.6, 4])
    assert _filled(np.zeros(0), 2.0).tolist() == [0, 0.5, 1, 1.5, 2]
    assert _filled(np.array([0.01]), 0.1).tolist() == [0, 0.1]
    assert (np.diff(_filled(np.array([0.02, 0.5, 1.0]), 1.1)) > 0.2).all()


def test_means_over_beats():
    spectrum = np.arange(12.0).reshape(2, 6)
    assert _means(spectrum, np.array([0, 2, 6])).tolist() == [[0.5, 3.5], [6.5, 9.5]]
    assert _means(spectrum, np.array([0, 0, 9])).tolist() == [[0, 2.5], [6, 8.5]]


def test_the_lowest_clear_pitch_is_the_bass_and_harmonics_do_not_count():
    spectrum = np.zeros((84, 2))
    spectrum[[12, 36, 40, 43], 0] = 1, 0.5, 0.5, 0.5  # C2, C4, E4, G4.
    spectrum[[12, 31], 1] = 1, 0.25  # C2 and its third harmonic.
    weights, bass = what_sounds(spectrum)
    assert np.flatnonzero(bass[:, 0]).tolist() == [0]
    assert set(np.flatnonzero(weights[:, 0])) == {0, 4, 7}
    assert set(np.flatnonzero(weights[:, 1])) == {0}
