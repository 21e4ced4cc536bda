"""Lines of notes; which track is the melody is tested with its adapter."""

from __future__ import annotations

import numpy as np

from musicae.adapters.shared.lines import in_range, programs, skyline
from musicae.formats.music import parts as score_parts


def test_of_a_chord_of_thousands_of_notes_the_top_and_longest_is_kept():
    pitch, at = np.arange(6000) % 100, np.repeat([0, 480], 3000)
    notes = score_parts.Notes(at, at + 1 + np.arange(6000), pitch, pitch, pitch)
    line = skyline(score_parts.Notes(*(np.tile(a, 2)[np.argsort(np.tile(at, 2), kind="stable")] for a in notes)), 120)
    assert [line.start.tolist(), line.pitch.tolist()] == [[0, 480], [99, 99]]
    assert line.end.tolist() == [3000, 480 + 6000]


def test_the_top_line_is_the_same_in_blocks_of_any_size():
    generator = np.random.default_rng(3)
    start = np.sort(generator.integers(0, 400, 300) * 60)
    notes = score_parts.Notes(start, start + generator.integers(1, 1000, 300), *generator.integers(40, 90, (3, 300)))
    kept = skyline(notes, 120)
    slow = [
        i
        for i in range(300)
        if not np.any(
            (notes.pitch > notes.pitch[i])
            & (notes.start <= notes.start[i])
            & (notes.end - notes.start[i] > min(120, (notes.end[i] - notes.start[i]) / 2))
        )
    ]
    assert 20 < len(slow) < 280
    for block in (1, 7, 64, 65536):
        for fast, plain in zip(skyline(notes, 120, block), kept, strict=True):
            assert np.array_equal(fast, plain)
    assert np.array_equal(kept.start, notes.start[slow])
    assert np.array_equal(kept.pitch, notes.pitch[slow])


def test_programs_of_a_line_change_along_and_those_of_chords_are_one():
    start, twice, program = np.array([2, 4, 6]), np.array([0, 0, 1]), np.array([5, 7, 7])
    assert programs(score_parts.Notes(start, start + 1, start, start, program)) == [[0, 5], [4, 7]]
    assert programs(score_parts.Notes(twice, twice + 1, start, start, program)) == [[0, 7]]


def test_pitches_out_of_range_are_moved_by_octaves():
    remarks: list[str] = []
    assert in_range(np.array([20, 59, 60, 71, 72, 97]), 60, 71, remarks).tolist() == [68, 71, 60, 71, 60, 61]
    assert remarks == ["4 note(s) outside the pitches 60..71 were moved by octaves"]
    assert in_range(np.array([60]), 60, 71, remarks).tolist() == [60]
    assert len(remarks) == 1
