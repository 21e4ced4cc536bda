"""Chord symbols and progressions, read and written."""

import numpy as np
import pytest

from musicae.errors import MusicaeError
from musicae.tensors import chords
from musicae.tensors.chord_symbols import (
    _WRITTEN,
    NO_CHORD,
    changes,
    condition,
    is_chord,
    name,
    parse,
    parse_chord,
    placed,
)
from musicae.tensors.chord_symbols import written as write

SPELLINGS = {
    (0, 4, 7): "C CM Cmaj CMaj CMAJ C:maj c",
    (0, 3, 7): "Cm Cmin CMIN CMi C- C:min cm",
    (0, 4, 7, 11): "Cmaj7 CM7 Cma7 CMA7 CMaj7 C△ C△7 CΔ C^ C^7 C:maj7",
    (0, 4, 7, 10): "C7 Cdom7 C:7",
    (0, 3, 7, 10): "Cm7 Cmin7 C-7 Cmi7 CMIN7",
    (0, 3, 7, 11): "CmM7 CmMaj7 Cm(maj7) C-^7 C-maj7 CminMaj7 C-△7",
    (0, 3, 6): "Cdim C° Co Cmb5 Cm(b5)",
    (0, 3, 6, 9): "Cdim7 C°7 Co7",
    (0, 3, 6, 10): "Cø Cø7 CØ Ch7 Cm7b5 Cm7-5 C-7b5 Cm7(b5) C:hdim7",
    (0, 4, 8): "C+ Caug C+5 C(#5)",
    (0, 4, 8, 10): "C+7 C7+ C7#5 C7+5 C7♯5 Caug7",
    (0, 2, 7): "Csus2",
    (0, 5, 7): "Csus4 Csus",
    (0, 5, 7, 10): "C7sus4 C7sus C:sus4(b7)",
    (0, 4, 7, 9): "C6 Cmaj6",
    (0, 3, 7, 9): "Cm6 C-6",
    (0, 2, 4, 7, 9): "C6/9 C69",
    (0, 2, 4, 7): "Cadd9 C(add9) C/9 C2 Cadd2",
    (0, 2, 3, 7): "Cmadd9 Cm(add9)",
    (0, 2, 4, 7, 10): "C9",
    (0, 2, 4, 7, 11): "Cmaj9 CM9",
    (0, 2, 4, 7, 9, 10): "C13",
    (0, 1, 4, 7, 10): "C7b9 C7(b9) C7-9 C7♭9",
    (0, 3, 4, 7, 10): "C7#9 C7+9",
    (0, 1, 4, 6, 7, 10): "C7(b9,#11) C7b9#11",
    (0, 7): "C5",
}


@pytest.mark.parametrize("intervals", SPELLINGS)
def test_the_usual_spellings(intervals):
    for symbol in SPELLINGS[intervals].split():
        assert (sorted(parse_chord(symbol).intervals), symbol) == (list(intervals), symbol)


ROOTS = {"C#": 1, "Db": 1, "D♭": 1, "F♯": 6, "Bb": 10, "B": 11, "bb": 10, "b": 11, "Cb": 11, "B#": 0, "Bbb": 9,
         "F": 5}  # fmt: skip


@pytest.mark.parametrize("root", ROOTS)
def test_roots(root):
    for suffix in ("", "m7", "7"):
        assert parse_chord(root + suffix).root == ROOTS[root]


def test_a_flat_after_the_roots_own_belongs_to_the_fifth():
    assert parse_chord("Abb5") == parse_chord("Ab(b5)")
    assert parse_chord("Bb9") == parse_chord("A#9")


def test_the_bass_is_named_by_its_note_or_its_degree():
    assert parse_chord("Fmaj7/A").bass == parse_chord("F:maj7/3").bass == 9
    assert parse_chord("C/Bb").bass == parse_chord("C/b7").bass == 10
    assert parse_chord("C/Bb").classes == {0, 4, 7}
    assert parse_chord("C6/9/E").bass == 4


@pytest.mark.parametrize("symbol", ["N.C.", "NC", "n.c.", "N", "no chord"])
def test_no_chord(symbol):
    assert parse_chord(symbol) == NO_CHORD
    assert name(NO_CHORD) == "N.C."


@pytest.mark.parametrize(
    ("symbol", "meant"),
    [("Cmaj77", "Cmaj7"), ("Gsuss4", "Gsus4"), ("F#majj7", "F#maj7"), ("H7", "B7"), ("Hm", "Bm"), ("G7su4", "G7sus4")],
)
def test_a_chord_that_does_not_exist_is_told_with_the_nearest(symbol, meant):
    with pytest.raises(MusicaeError, match=f"^there is no chord '{symbol}'; did you mean '{meant}'\\?$"):
        parse_chord(symbol)


@pytest.mark.parametrize("symbol", ["Xyz", "", "7", "C/H", "C/", "Cfoo", "C" * 1000, "\0", "C/99", "Cmm", "C79", "ä"])
def test_what_is_no_chord_at_all_is_told_in_a_line(symbol):
    with pytest.raises(MusicaeError, match=r"^there is no chord '.{0,43}'; ") as raised:
        parse_chord(symbol)
    assert len(str(raised.value)) <= 120
    assert not is_chord(symbol)


def test_every_name_that_is_written_is_read_again():
    for suffix in _WRITTEN:
        for root in range(12):
            for flats in (None, True, False):
                chord = parse_chord(f"C{suffix}").transposed(root)
                text = name(chord, flats)
                assert parse_chord(text) == chord
                assert text.endswith(suffix)


def test_names_are_spelled_as_the_key_wants():
    chord = parse_chord("Bb7/D")
    assert [name(chord, flats) for flats in (None, True, False)] == ["Bb7/D", "Bb7/D", "A#7/D"]
    assert name(parse_chord("Gb")) == "F#"


def test_a_chord_without_a_name_has_that_of_the_nearest():
    assert name(parse_chord("Cadd#11")) == "C"
    assert name(parse_chord("Cmaj7(add13)")) == "Cmaj7"


# --- progressions ----------------------------------------------------------------------------------------------------


def test_a_progression():
    bars = parse("C | G7 Am7 | Fmaj7/A | N.C.")
    assert bars == [
        [parse_chord("C")],
        [parse_chord("G7"), parse_chord("Am7")],
        [parse_chord("Fmaj7/A")],
        [NO_CHORD],
    ]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("| C | G |", "C | G"),
        ("C || G ‖ F", "C | G | F"),
        ("C\r\nG\n", "C | G"),
        ("C,G, Am", "C G Am"),
        ("C G | % | F", "C G | C G | F"),
        ("C G | - | /", "C G | G | G"),
        ("C / / G", "C C C G"),
        ("- | C", "N.C. | C"),
        ("|: C | G :| F", "C | G | C | G | F"),
        ("Am |: C :| G :|", "Am | C | C | G | G"),
        ("C7(b9, #11) | D", "C7b9#11 | D"),
        ("# C major, 4/4\n 1 | C | G |\n 3 | F |\n", "C | G | F"),
    ],
)
def test_other_ways_to_write_one(text, same):
    assert parse(text) == parse(same)


@pytest.mark.parametrize("text", ["", " ", "| |", ",", "\n\n"])
def test_a_progression_without_chords(text):
    with pytest.raises(MusicaeError, match=r"^there are no chords; write a progression as"):
        parse(text)


def test_the_first_bar_cannot_repeat_another():
    with pytest.raises(MusicaeError, match=r"begin with '%'.*begin with a chord$"):
        parse("% | C")


def test_a_progression_is_written_as_short_as_it_can_be():
    text = ["C", "C G", "C / / G", "Am F G", "C", "Bb7/D"]
    assert write(parse(" | ".join(text))) == text
    assert write(parse("C C C C | C C G G | C / / G | Am / F G | %".replace("%", "C") + " | Bb7/D")) == text


# --- the condition ---------------------------------------------------------------------------------------------------


def roots(cond):
    """Return the root at each step, -1 for none."""
    assert set(np.unique(cond)) <= {0.0, 1.0}
    assert (cond[:12].sum(0) <= 1).all()
    return [int(column[:12].argmax()) if column.any() else -1 for column in cond.T]


def test_the_condition_has_root_and_pitch_classes():
    cond = condition(parse("Am7 | N.C."), 32)
    assert cond.shape == (24, 32)
    assert cond.dtype == np.float32
    assert set(np.flatnonzero(cond[:, 0])) == {9, 12 + 9, 12 + 0, 12 + 4, 12 + 7}
    assert (cond[:, :16] == cond[:, :1]).all()
    assert not cond[:, 16:].any()


@pytest.mark.parametrize(
    ("text", "bar", "beats", "wanted"),
    [
        ("C D", 16, 4, [0] * 8 + [2] * 8),
        ("C D E", 16, 4, [0] * 8 + [2] * 4 + [4] * 4),
        ("C D", 12, 3, [0] * 8 + [2] * 4),
        ("C D", 6, 2, [0] * 3 + [2] * 3),
        ("C D E F G A B D", 16, 4, [n for n in (0, 2, 4, 5, 7, 9, 11, 2) for _ in range(2)]),
    ],
)
def test_chords_share_a_bar(text, bar, beats, wanted):
    assert roots(condition(parse(text), bar, bar, beats)) == wanted


def test_a_progression_is_repeated_and_cut():
    assert roots(condition(parse("C | D | E"), 80)) == [0] * 16 + [2] * 16 + [4] * 16 + [0] * 16 + [2] * 16
    assert roots(condition(parse("C | D | E"), 20)) == [0] * 16 + [2] * 4
    assert condition(parse("C"), 0).shape == (24, 0)


def test_more_chords_than_steps():
    with pytest.raises(MusicaeError, match=r"^bar 2 has 17 chords; 16 is the most$"):
        condition(parse("C |" + " C" * 17), 16)


@pytest.mark.parametrize(
    ("rich", "plain"),
    [("C9", "C7"), ("C13", "C7"), ("C7b9", "C7"), ("Cadd9", "C"), ("Cm9", "Cm7"), ("Cmaj9", "Cmaj7"), ("C6/9", "C6"),
     ("C7sus4", "Csus4"), ("CmM7", "Cm"), ("C5", "C"), ("C7b5", "C7"), ("Cm6", "Cm"), ("C/Bb", "C")],
)  # fmt: skip
def test_rich_chords_stand_as_the_nearest_that_models_know(rich, plain):
    assert (condition(parse(rich), 16) == condition(parse(plain), 16)).all()


def test_the_kinds_that_are_recognised_stand_as_they_are():
    for intervals in chords.QUALITIES.values():
        symbol = next(s for s in _WRITTEN if parse_chord(f"C{s}").intervals == set(intervals))
        assert set(np.flatnonzero(condition(parse(f"C{symbol}"), 1)[12:, 0])) == set(intervals)


def test_the_chords_of_a_condition():
    bars = parse("C | G7 Am7 | N.C. | F | F")
    cond = condition(bars, 80)
    assert [(at, name(chord)) for at, chord in changes(cond)] == [
        (0, "C"),
        (16, "G7"),
        (24, "Am7"),
        (32, "N.C."),
        (48, "F"),
    ]
    assert changes(cond[:, :0]) == []


def test_chords_are_placed_at_steps():
    c, g = parse_chord("C"), parse_chord("G")
    assert roots(placed([(-4, c), (0, g), (8, NO_CHORD), (12, c), (99, g)], 16)) == [7] * 8 + [-1] * 4 + [0] * 4
    assert roots(placed([], 4)) == [-1] * 4
    assert roots(placed([(2, c)], 4)) == [-1, -1, 0, 0]
