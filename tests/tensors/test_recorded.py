"""What is heard in recordings: beats, pitches, chords."""

import tracemalloc

import numpy as np
import pytest

from musicae.tensors.chord_symbols import name
from musicae.tensors.recorded import RATE, _filled, _means, beats_of, beats_of_onsets, beats_of_tempo, what_sounds


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


def test_beats_of_even_notes():
    onsets = 0.3 + 0.25 * np.arange(40)
    beats = beats_of_onsets(onsets, np.ones(40), 10.5)
    lasts = np.diff(beats)
    assert np.ptp(lasts) < 1e-9
    assert beats[0] <= 0
    assert beats[-1] >= 10.5
    place = np.interp(onsets, beats, np.arange(len(beats)))
    assert np.abs(4 * place - np.rint(4 * place)).max() < 0.15


def test_beats_follow_a_tempo_that_changes():
    onsets = 0.2 + np.concatenate([0.5 * np.arange(12), 6 + 0.42 * np.arange(16), 13 + 0.36 * np.arange(16)])
    beats = beats_of_onsets(onsets, np.ones(len(onsets)), 19.0)
    near = np.abs(onsets[:, None] - beats).min(1)
    assert (near < 0.08).mean() > 0.8
    assert np.ptp(np.diff(beats)) > 0.08


@pytest.mark.parametrize("tempo", [60, 90, 137.5])
def test_beats_of_a_given_tempo_fall_on_notes(tempo):
    lasts = 60 / tempo
    onsets = 0.31 + lasts * np.array([0, 1, 2, 2.5, 3, 4, 5, 5.5, 6, 7])
    beats = beats_of_tempo(onsets, tempo, 6.0)
    assert np.diff(beats) == pytest.approx(lasts)
    assert beats[0] <= 0
    assert np.abs(onsets[0] - beats).min() < 0.02
    assert np.diff(beats_of_onsets(onsets[:1], np.ones(1), 2.0)) == pytest.approx(0.5, abs=2e-3)


def test_beats_of_hours_take_little_memory():
    onsets = 0.3 + 0.5 * np.arange(2400)
    tracemalloc.start()
    beats = beats_of_onsets(onsets, np.ones(2400), 1201.0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 500e6
    assert np.diff(beats) == pytest.approx(0.5, abs=1e-3)
