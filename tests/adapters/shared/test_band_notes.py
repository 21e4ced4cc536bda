"""The notes of a band's parts, placed in steps; whole bands are tested with their adapter."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from musicae.adapters.shared import band_notes
from musicae.formats.music.parts import Notes
from musicae.formats.music.percussion import CLASSES


def notes(*rows):
    """Return notes from rows ``(start, end, pitch, velocity=80, program=0)``."""
    filled = [(*row, *(80, 0)[len(row) - 3 :]) for row in rows]
    return Notes(*(np.array(column, np.int64) for column in zip(*filled, strict=True)))


def test_a_line_leaves_the_rest_of_its_notes():
    chords = notes((0, 480, 60), (0, 480, 67), (480, 960, 55), (480, 960, 72))
    for upwards, expected in ((True, [67, 72]), (False, [60, 55])):
        line, others = band_notes.line(chords, 120, upwards)
        assert line.pitch.tolist() == expected
        assert sorted([*line.pitch.tolist(), *others.pitch.tolist()]) == [55, 60, 67, 72]


def test_notes_out_of_range_are_moved_by_octaves():
    remarks: list[str] = []
    moved = band_notes.folded(notes((0, 1, 20), (1, 2, 60), (2, 3, 110)), "bass", remarks)
    assert (moved.pitch + 24).tolist() == [32, 60, 50]
    assert remarks == ["bass: 2 note(s) outside the pitches 24..60 were moved by octaves"]


def test_of_thick_chords_the_longest_and_loudest_notes_are_kept():
    cluster = notes(*((0, 4 if pitch % 2 else 2, pitch, 60 + pitch) for pitch in range(20)))
    remarks: list[str] = []
    kept = band_notes.prominent(cluster, remarks)
    assert sorted(kept.pitch.tolist()) == [5, 7, 9, 11, 13, 15, 17, 19]
    assert remarks == ["harmony: 12 note(s) of thick chords were left out"]


def test_a_pitch_sounds_once_at_a_time():
    kept = band_notes.prominent(notes((0, 8, 10), (0, 2, 10), (4, 6, 10), (4, 6, 12)), None)
    assert list(zip(kept.start, kept.end, kept.pitch, strict=True)) == [(0, 4, 10), (4, 6, 10), (4, 6, 12)]


@pytest.mark.parametrize("part", ["melody", "bass", "harmony", "drums"])
def test_a_part_goes_to_a_tensor_and_back(part):
    own = notes((0, 3, 4, 90), (3, 5, 7, 70), (8, 16, 1, 127))
    values = torch.from_numpy(band_notes.to_tensor({part: own}, 16))
    start, end, pitch, velocity = band_notes.from_tensor(values, part)
    assert (start.tolist(), velocity.tolist()) == ([0, 3, 8], [90, 70, 127])
    if part == "drums":
        assert pitch.tolist() == [list(CLASSES.values())[i][0] for i in (4, 7, 1)]
    else:
        assert end.tolist() == [3, 5, 16]
        assert np.diff(pitch).tolist() == [3, -6]
    for other in {"melody", "bass", "harmony", "drums"} - {part}:
        assert not len(band_notes.from_tensor(values, other)[0])


def test_hits_without_a_class_are_dropped():
    remarks: list[str] = []
    assert band_notes.hits(notes((0, 1, 36), (0, 1, 5), (1, 2, 38, 0)), remarks).pitch.tolist() == [0]
    assert remarks == ["drums: 1 note(s) are not percussion (27..87) and were left out"]


def test_pitched_notes_come_at_their_midi_pitches_in_time():
    start, end, pitch, velocity = band_notes.pitched(
        {"melody": notes((4, 6, 0)), "bass": notes((0, 2, 0, 30)), "drums": notes((1, 2, 3))}
    )
    assert (start.tolist(), end.tolist(), pitch.tolist(), velocity.tolist()) == ([0, 4], [2, 6], [24, 48], [30, 80])
    assert all(len(values) == 0 for values in band_notes.pitched({}))
