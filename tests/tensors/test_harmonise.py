"""Chords that are found for a melody."""

from __future__ import annotations

import numpy as np

from musicae.tensors.chord_symbols import changes, name
from musicae.tensors.harmonise import harmonise


def found(tune: list[tuple[int, int]], bar: int = 16) -> list[tuple[int, str]]:
    """Return where each chord begins and its name, for notes of so many steps and MIDI pitches, one after another."""
    lengths, pitch = np.array(tune).T
    end = lengths.cumsum()
    made = harmonise(end - lengths, end, pitch, int(end[-1]), 4, bar)
    assert made.shape == (24, end[-1])
    return [(at, name(chord)) for at, chord in changes(made)]


def test_a_tune_has_the_chords_of_its_key() -> None:
    twinkle = [(4, p) for p in (60, 60, 67, 67, 69, 69)] + [(8, 67)] + [(4, p) for p in (65, 65, 64, 64, 62, 62)]
    assert found([*twinkle, (8, 60)]) == [(0, "C"), (16, "Am"), (24, "G"), (32, "F"), (40, "C"), (48, "G"), (56, "C")]


def test_all_keys_are_treated_alike() -> None:
    tune = [(8, 67), (8, 71), (8, 74), (8, 67), (8, 66), (8, 69), (16, 67)]
    for shift in range(12):
        moved = found([(length, pitch + shift) for length, pitch in tune])
        assert [at for at, _ in moved] == [at for at, _ in found(tune)]
        assert moved[-1][1] == name(changes(harmonise(*_whole(67 + shift)))[0][1])


def _whole(pitch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int, int]:
    return np.array([0]), np.array([16]), np.array([pitch]), 16, 4, 16


def test_a_minor_tune_has_the_dominant_of_minor() -> None:
    made = found([(8, 69), (8, 72), (8, 76), (8, 72), (8, 71), (8, 68), (16, 69)])
    assert (made[0], made[-2:]) == ((0, "Am"), [(32, "E"), (48, "Am")])


def test_bars_of_an_odd_number_of_beats_have_one_chord() -> None:
    assert [at % 12 for at, _ in found([(4, p) for p in (60, 64, 67, 67, 71, 74, 60, 64, 67)], bar=12)] == [0, 0, 0]


def test_without_notes_there_are_no_chords() -> None:
    nothing = np.empty(0, np.int64)
    assert not harmonise(nothing, nothing, nothing, 20, 4, 16).any()
