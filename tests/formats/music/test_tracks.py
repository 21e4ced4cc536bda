"""The notes of a score in arrays, beside what symusic gives note by note."""

from pathlib import Path

import numpy as np
import pytest
from symusic.core import ScoreTick

from musicae.formats.music import midi
from musicae.formats.music.tracks import Track, Tracks, _after, mend_ends

DATA = Path(__file__).parents[3] / "data"


def made(*tracks, last=-1):
    """Return tracks of notes ``(start, end, pitch)``."""
    rows = np.array([note for notes in tracks for note in notes])
    stops = np.cumsum([len(notes) for notes in tracks])
    named = [
        Track("", 0, False, slice(int(stop) - len(notes), int(stop)), last, 0)
        for notes, stop in zip(tracks, stops, strict=True)
    ]
    return Tracks(named, *rows.T[:3].copy(), np.full(len(rows), 80))


@pytest.mark.parametrize("path", sorted(DATA.glob("*.mid")), ids=lambda path: path.stem)
def test_the_arrays_hold_the_notes_of_each_track(path):
    score = ScoreTick.from_midi(path.read_bytes())
    found = Tracks.of(score)
    sounding = [track for track in score.tracks if len(track.notes)]
    assert [(one.name, one.program, one.drums, len(one)) for one in found.tracks] == [
        (track.name, track.program, track.is_drum, len(track.notes)) for track in sounding
    ]
    for one, track in zip(found.tracks, sounding, strict=True):
        notes = [(note.time, note.end, note.pitch, note.velocity) for note in track.notes]
        arrays = (found.start, found.end, found.pitch, found.velocity)
        assert list(zip(*(array[one.span].tolist() for array in arrays), strict=True)) == notes
        assert (one.last, one.chunk) == (-1, -1)  # It has not gone through `MidiBytes.dump`.
    assert found.number.tolist() == [i for i, one in enumerate(found.tracks) for _ in range(len(one))]


def test_the_chunk_and_the_end_of_a_track_are_known(make_midi):
    path = make_midi({"notes": [(0, 1, 60), (1, 1, 62)]}, {"notes": [(0, 3, 48)], "channel": 1})
    tracks = midi.load(path).tracks
    assert [(track.chunk, track.last) for track in tracks.tracks] == [(1, 960), (2, 1440)]
    assert tracks.open() == []


def test_a_score_without_notes_has_no_tracks(make_midi):
    found = midi.load(make_midi({"notes": []})).tracks
    assert (found.tracks, len(found.start), found.open()) == ([], 0, [])


def test_a_note_ends_where_its_pitch_is_struck_again_on_its_track_only():
    tracks = made([(0, 900, 60), (0, 900, 64), (480, 900, 60)], [(0, 900, 60)], [(100, 200, 60), (100, 150, 62)])
    mend_ends(tracks)
    assert tracks.end.tolist() == [480, 900, 900, 900, 200, 150]


def test_no_note_is_shorter_than_a_tick_in_the_end():
    tracks = made([(0, 0, 60), (5, 9, 62)])
    assert tracks.stop.tolist() == [1, 9]


def test_many_tracks_are_mended_as_few_are():
    few = [[(i, i + 700, 60), (i + 480, i + 600, 60)] for i in range(3)]
    many = made(*(few * 200))
    mend_ends(many)
    alone = made(*few)
    mend_ends(alone)
    assert many.end.tolist() == alone.end.tolist() * 200 == [480, 600, 481, 601, 482, 602] * 200


def test_places_behind_equal_values():
    assert _after(np.array([3, 3, 5, 7, 7, 7])).tolist() == [2, 2, 3, 6, 6, 6]
    assert _after(np.array([1])).tolist() == [1]
