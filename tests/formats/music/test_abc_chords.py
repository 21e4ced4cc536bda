"""The chord symbols of tunes in ABC."""

import pytest

from musicae.formats.music import abc
from musicae.formats.music.abc_chords import of_tune
from musicae.tensors.chord_symbols import name

HEAD = 'X:1\nT:The "A" tune\nM:4/4\nL:1/8\nK:G\n'


def names(tune):
    return [(tick, name(chord)) for tick, chord in of_tune(HEAD + tune)]


def test_each_chord_is_where_its_note_is():
    assert names('"G"G2 A2 "D7/F#"B2 A2|"Em"G8|') == [(0, "G"), (960, "D7/F#"), (1920, "Em")]


def test_repeats_are_written_out_and_pick_ups_counted():
    tune = 'D2|"G"G4 "C"G4|"D"A8:|'
    once = [(480, "G"), (1440, "C"), (2400, "D")]
    assert names(tune) == [*once, *((tick + 4320, chord) for tick, chord in once)]
    notes = abc.from_abc(HEAD + tune).tracks[0].notes.numpy()["time"] - 1
    assert {tick for tick, _ in names(tune)} <= set(notes.tolist())


def test_texts_that_are_no_chords_are_left_out():
    assert names('"^slowly""G"G4 "Fine"G4|"Am(C)"A4 "N.C."A4|') == [(0, "G"), (1920, "Am"), (2880, "N.C.")]


def test_meters_may_change():
    tune = '"G"G8|\nM:3/4\n"C"G4 "D7"A2|[M:6/8]"Em"G3 "Am"A3|'
    assert names(tune) == [(0, "G"), (1920, "C"), (2880, "D7"), (3360, "Em"), (4080, "Am")]


def test_many_symbols_are_told_apart():
    roots = [f"{root}{kind}" for kind in ("", "m", "7", "maj7", "m7b5", "9", "13") for root in "CDEFGAB"]
    tune = "|".join(f'"{root}"G8' for root in roots)
    assert names(tune) == [(1920 * i, root) for i, root in enumerate(roots)]


@pytest.mark.parametrize("tune", ["GABc|", '"nothing"G4|', "", '"G', '"G"' + "[" * 50])
def test_tunes_without_chords(tune):
    assert names(tune) in ([], [(0, "G")])
