"""The drum tracks of a score."""

import pytest

from musicae.errors import MusicaeError
from musicae.formats.music import midi, parts
from musicae.formats.music.kit import choose, choose_parts

BEAT = [(i / 2, 0.1, (36, 42, 38, 42)[i % 4]) for i in range(16)]


def test_all_drum_tracks_are_taken_together(make_midi):
    shaker = [(i, 0.1, 70) for i in range(4)]
    file = make_midi({"notes": BEAT, "channel": 9, "name": "Kit"}, {"notes": shaker, "channel": 9, "name": "Shaker"})
    available = parts.parts(midi.load(file).tracks)
    name, notes, remarks = choose(available, None)
    assert (name, len(notes.start), remarks) == ("Kit", 20, ["the 2 drum tracks were merged"])
    (one,), _ = choose_parts(available, "shaker")
    assert one.count == 4


def test_notes_without_a_class_are_left_out(make_midi):
    file = make_midi({"notes": [*BEAT, (0, 1, 100)], "channel": 9})
    _, notes, remarks = choose(parts.parts(midi.load(file).tracks), None)
    assert len(notes.start) == 16
    assert remarks == ["1 note(s) are not percussion (27..87) and were left out"]


def test_what_has_no_drums_is_refused(make_midi):
    tune = make_midi({"notes": [(0, 1, 60), (1, 1, 62)]})
    with pytest.raises(MusicaeError, match="it has no drums"):
        choose(parts.parts(midi.load(tune).tracks), None)
    with pytest.raises(MusicaeError, match="it has no notes"):
        choose([], None)
    with pytest.raises(MusicaeError, match="is not drums"):
        choose_parts(parts.parts(midi.load(tune).tracks), 1)
