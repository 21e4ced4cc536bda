"""Scores moved to another key."""

import pytest

from musicae.errors import MusicaeError
from musicae.formats.music import midi


def pitches(loaded):
    return [loaded.tracks.pitch[track.span].tolist() for track in loaded.tracks.tracks]


def test_all_but_drums_is_moved(make_midi):
    tune, hits = {"notes": [(0, 4, 60), (4, 4, 64)]}, {"notes": [(0, 1, 36), (4, 1, 38)], "channel": 9}
    path = make_midi(tune, hits)
    loaded = midi.load(path)
    assert pitches(loaded.transposed(3)) == [[63, 67], [36, 38]]
    assert pitches(loaded.transposed(-2).transposed(-1)) == [[57, 61], [36, 38]]
    assert pitches(loaded) == [[60, 64], [36, 38]]
    assert loaded.transposed(0) is loaded


def test_notes_stay_within_midi(make_midi):
    path = make_midi({"notes": [(0, 4, 120), (4, 4, 3), (8, 4, 127), (12, 4, 0)]})
    for semitones in (5, -5, 24, -24):
        (moved,) = pitches(midi.load(path).transposed(semitones))
        assert all(0 <= pitch <= 127 for pitch in moved)
        assert [pitch % 12 for pitch in moved] == [(pitch + semitones) % 12 for pitch in (120, 3, 127, 0)]


def test_key_signatures_and_chords_are_moved_alike(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text('X:1\nM:4/4\nL:1/4\nK:G\n"G"GABG|"C/E"cBAd|"D7"G4|\n')
    loaded = midi.load(path).transposed(2)
    assert [(key.key, key.tonality) for key in loaded.score.key_signatures] == [(3, 0)]  # A major.
    assert [(chord.root, chord.bass) for _, chord in loaded.chords()] == [(9, 9), (2, 6), (4, 4)]
    assert [key.key for key in midi.load(path).transposed(-2).score.key_signatures] == [-1]  # F major.


@pytest.mark.parametrize("semitones", [25, -25, 10**9])
def test_two_octaves_are_the_most(make_midi, semitones):
    with pytest.raises(MusicaeError, match="--transpose must be -24 to 24 semitones"):
        midi.load(make_midi({"notes": [(0, 4, 60)]})).transposed(semitones)
