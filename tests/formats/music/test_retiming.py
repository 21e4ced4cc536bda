"""Notes moved in MIDI files, in which all else stays."""

import io

import mido
import pytest

from musicae.errors import MusicaeError
from musicae.formats.music.midi_bytes import events_of, parse
from musicae.formats.music.retiming import Move, Struck, retimed

TUNE = {"notes": [(i, 0.9, 60 + i) for i in range(4)], "name": "Tune", "programs": [(0, 5)]}
BEAT = {"notes": [(i, 0.25, 36, 100) for i in range(4)], "channel": 9, "name": "Kit"}


def notes(data, channel=9):
    """Return the tick, pitch, length and velocity of the notes of a channel."""
    found, open_notes = [], {}
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        now = 0
        for event in track:
            now += event.time
            if event.type == "note_on" and event.velocity and event.channel == channel:
                open_notes[event.note] = (now, event.velocity)
            elif event.type in ("note_on", "note_off") and event.channel == channel:
                start, velocity = open_notes.pop(event.note)
                found.append((start, event.note, now - start, velocity))
    return sorted(found)


def test_notes_are_moved_and_keep_pitch_and_length(make_midi):
    data = make_midi(TUNE, BEAT, tempos=[(0, 400_000)]).read_bytes()
    moves = {Struck(2, True, 480, 36): Move(462.4, 50), Struck(2, True, 960, 36): Move(1000, 0)}
    made = retimed(data, "a.mid", moves)
    assert notes(made) == [(0, 36, 120, 100), (462, 36, 120, 50), (1000, 36, 120, 1), (1440, 36, 120, 100)]
    before, after = parse(data, ""), parse(made, "")
    assert (after.tracks[:2], after.ticks_per_quarter) == (before.tracks[:2], before.ticks_per_quarter)
    others = [[event for event in events_of(one.tracks[2]) if event[1][0] >= 0xA0] for one in (before, after)]
    assert others[0] == others[1]
    assert retimed(data, "a.mid", {}) == data


def test_in_one_track_for_all_only_drums_are_moved(make_midi):
    beat = {"notes": [(i, 0.25, 60) for i in range(4)], "channel": 9}
    mixed = mido.MidiFile(make_midi(TUNE, beat))
    one = mido.MidiFile(type=0, ticks_per_beat=480, tracks=[mido.merge_tracks(mixed.tracks)])
    out = io.BytesIO()
    one.save(file=out)
    made = retimed(out.getvalue(), "a.mid", {Struck(0, True, 0, 60): Move(30, 64)})
    assert notes(made)[0] == (30, 60, 120, 64)
    assert notes(made, 0) == notes(out.getvalue(), 0)


def test_a_note_ends_before_the_next_of_its_pitch(make_midi):
    data = make_midi({"notes": [(0, 1, 36), (1, 1, 36)], "channel": 9}).read_bytes()
    assert notes(retimed(data, "", {Struck(1, True, 0, 36): Move(40, 80)})) == [(40, 36, 440, 80), (480, 36, 480, 80)]
    assert notes(retimed(data, "", {Struck(1, True, 480, 36): Move(440, 80)}))[1] == (440, 36, 480, 80)


def test_coarse_ticks_become_finer(make_midi):
    data = make_midi(TUNE, BEAT, tpq=24).read_bytes()
    made = retimed(data, "", {Struck(2, True, 24, 36): Move(24.25, 90)})
    assert mido.MidiFile(file=io.BytesIO(made)).ticks_per_beat == 384
    assert notes(made)[1] == (388, 36, 96, 90)
    assert [note[0] / 16 for note in notes(made, 0)] == [note[0] for note in notes(data, 0)]


def test_nothing_begins_before_the_file_and_the_track_ends_after_its_notes(make_midi):
    data = make_midi(BEAT).read_bytes()
    made = retimed(data, "", {Struck(1, True, 0, 36): Move(-20, 90), Struck(1, True, 1440, 36): Move(1800, 90)})
    assert [note[0] for note in notes(made)] == [0, 480, 960, 1800]


def test_patterns_are_refused(make_midi):
    with pytest.raises(MusicaeError, match=r"a\.mid holds separate patterns"):
        retimed(make_midi(BEAT, kind=2).read_bytes(), "a.mid", {})
