"""The classes of drums cover General MIDI's percussion once."""

import numpy as np

from musicae.formats.music.percussion import CLASS_OF, CLASSES, share_in_kit


def test_each_percussion_note_has_one_class():
    notes = [note for group in CLASSES.values() for note in group]
    assert len(notes) == len(set(notes))
    assert set(notes) == {22, 26, *range(27, 88)}
    for index, group in enumerate(CLASSES.values()):
        assert {CLASS_OF[note] for note in group} == {index}
    assert {int(CLASS_OF[note]) for note in range(128) if note not in notes} == {-1}


def test_the_classes_are_those_of_the_groove_data_set():
    """The table of Gillick et al. 2019 (the data set's page), note by note."""
    table = {
        "kick": (36,),
        "snare": (38, 40, 37),
        "closed hi-hat": (42, 22, 44),
        "open hi-hat": (46, 26),
        "low tom": (43, 58),
        "mid tom": (47, 45),
        "high tom": (50, 48),
        "crash": (49, 55, 57, 52),
        "ride": (51, 59, 53),
    }
    assert list(CLASSES) == list(table)
    known = {note for notes in table.values() for note in notes}
    assert {name: set(group) & known for name, group in CLASSES.items()} == {n: set(v) for n, v in table.items()}
    assert [group[0] for group in CLASSES.values()] == [36, 38, 42, 46, 43, 47, 50, 49, 51]


def test_how_much_of_a_part_is_a_drum_kit():
    assert share_in_kit(np.array([35, 38, 59, 42])) == 1
    assert share_in_kit(np.array([34, 60, 36, 42])) == 0.5
