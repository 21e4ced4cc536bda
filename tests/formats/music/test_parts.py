import re
from pathlib import Path

import numpy as np
import pytest

from musicae.errors import MusicaeError
from musicae.formats.music import midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.tracks import Track, Tracks

DATA = Path(__file__).parents[3] / "data"
SCALE = [(i, 1, 60 + i) for i in range(8)]
TUNE = [(i / 2, 0.5, 60 + (i * 5) % 13) for i in range(18)]


def parts_of(path):
    return score_parts.parts(midi.load(path).tracks)


def test_a_track_with_program_changes_is_one_part(make_midi):
    path = make_midi(
        {"notes": SCALE, "name": "Lead", "programs": [(0, 40), (4, 73)]},
        {"notes": SCALE, "name": "Lead", "channel": 1, "programs": [(0, 20)]},
    )
    parts = score_parts.parts(midi.load(path).tracks)
    assert [(part.number, part.name, part.count) for part in parts] == [(1, "Lead", 8), (2, "Lead", 8)]
    assert parts[0].notes().program.tolist() == [40] * 4 + [73] * 4


def test_a_track_is_named_by_number_or_piece_of_its_name(make_midi):
    path = make_midi({"notes": []}, {"notes": SCALE, "name": "Violin I"}, {"notes": SCALE, "name": "Oboe"})
    parts = score_parts.parts(midi.load(path).tracks)
    assert (
        [p.name for p in score_parts.select(parts, 2)] == [p.name for p in score_parts.select(parts, "2")] == ["Oboe"]
    )
    assert [p.name for p in score_parts.select(parts, "VIOL")] == ["Violin I"]
    with pytest.raises(MusicaeError, match=re.escape("'tuba'; choose from 1 Violin I (8 notes), 2 Oboe (8 notes)")):
        score_parts.select(parts, "tuba")


def test_the_share_of_drums_is_that_of_their_notes(make_midi):
    beats = [(i / 4, 0.25, 36) for i in range(8)]
    for tracks, share in (([{"notes": beats, "channel": 9}, {"notes": SCALE}], 0.5), ([{"notes": []}], 0.0)):
        assert score_parts.share_of_drums(midi.load(make_midi(*tracks)).tracks) == share
    assert {p.stem: score_parts.share_of_drums(midi.load(p).tracks) > 0.9 for p in DATA.glob("*.mid")} == {
        "band": False,
        "korobeiniki": False,
        "saints": False,
        "bossa": True,
        "greensleeves": False,
        "ode-to-joy": False,
        "rock": True,
        "twinkle": False,
    }


def test_a_channel_for_each_note_is_one_part(make_midi):
    tracks = [{"notes": TUNE[i::8], "channel": 1 + i, "name": "Lead"} for i in range(8)]
    for kind in (0, 1):  # In one chunk, as a controller records (MPE), and in a chunk for each channel.
        path = make_midi(*tracks)
        if kind == 0:
            path = one_chunk(path)
        (part,) = parts_of(path)
        assert part.count == 18
        assert part.notes().pitch.tolist() == [note[2] for note in TUNE]


def test_strings_that_ring_on_are_one_guitar(make_midi):
    strings = [{"notes": [(i / 2, 4, 40 + 5 * string) for i in range(string, 18, 6)], "channel": string,
                "programs": [(0, 25)]} for string in range(6)]  # fmt: skip
    (part,) = parts_of(one_chunk(make_midi(*strings)))
    assert part.count == 18


def test_a_tune_in_turns_over_nine_tracks_is_one_part(make_midi):
    tracks = [{"notes": TUNE[i::9], "channel": i, "programs": [(0, 52)]} for i in range(9)]
    (part,) = parts_of(make_midi(*tracks))
    assert part.count == 18


def test_two_hands_are_two_parts(make_midi):
    left = [(i, 1, 40 + i % 5) for i in range(9)]
    assert [part.count for part in parts_of(make_midi({"notes": TUNE}, {"notes": left, "channel": 1}))] == [18, 9]
    both = one_chunk(make_midi({"notes": TUNE}, {"notes": left, "channel": 1}))
    assert [part.count for part in parts_of(both)] == [18, 9]


@pytest.mark.parametrize("name", ["Drums", "DRUM KIT", "Percussion 1", "Schlagzeug", "ドラム", "Ударные", "鼓"])
def test_a_track_named_drums_is_drums_on_any_channel(name, make_midi):
    beat = [(i / 2, 0.25, (36, 42, 38, 42)[i % 4]) for i in range(16)]
    path = make_midi({"notes": SCALE, "name": "Lead"}, {"notes": beat, "name": name, "channel": 1}, charset="utf-8")
    assert [part.drums for part in parts_of(path)] == [False, True]


def test_a_pitched_track_named_like_drums_is_not(make_midi):
    high = [(i, 1, 88 + i) for i in range(8)]
    timpani = {"notes": [(i, 1, 38 + i % 2 * 5) for i in range(8)], "name": "Timpani and Drums", "programs": [(0, 47)]}
    steel = {"notes": SCALE, "name": "Steel Drums", "channel": 1}
    tune = {"notes": TUNE, "name": "The Little Drummer", "channel": 3}
    path = make_midi({"notes": high, "name": "Drums"}, steel, {**timpani, "channel": 2}, tune)
    assert [part.drums for part in parts_of(path)] == [False, False, False, False]


def test_a_note_ends_where_its_pitch_is_struck_again(make_midi):
    path = make_midi({"notes": [(0, 9, 60), (0, 9, 55), (1, 1, 62), (2, 1, 60), (4, 1, 60)]})
    (part,) = parts_of(path)
    notes = part.notes()
    lengths = {(start, pitch): end - start for start, end, pitch in np.array(notes[:3]).T.tolist()}
    assert lengths == {(0, 60): 960, (0, 55): 9 * 480, (480, 62): 480, (960, 60): 480, (1920, 60): 480}


def one_chunk(path):
    """Write a type-1 file again as type 0: all tracks in one chunk."""
    import mido

    file = mido.MidiFile(path)
    file.tracks[:] = [mido.merge_tracks(file.tracks)]
    file.type = 0
    file.save(path)
    return path


def test_voices_of_one_program_in_one_chunk_are_parts(make_midi):
    voices = [{"notes": [(i, 1, low + (i * step) % 7) for i in range(24)], "channel": channel}
              for channel, (low, step) in enumerate(((72, 2), (65, 3), (60, 5), (48, 4)))]  # fmt: skip
    assert [part.count for part in parts_of(one_chunk(make_midi(*voices)))] == [24] * 4
    chords = [{"notes": [(i, 1, p) for i in range(8) for p in (60 + k, 64, 67)], "channel": k} for k in range(4)]
    assert [part.count for part in parts_of(one_chunk(make_midi(*chords)))] == [24] * 4


def test_chords_with_a_channel_for_each_note_are_one_part(make_midi):
    rng = np.random.default_rng(0)
    notes = [(i, 1, int(p)) for i in range(40) for p in rng.choice(np.arange(55, 80), 3, replace=False)]
    (part,) = parts_of(one_chunk(make_midi(*({"notes": notes[k::6], "channel": 1 + k} for k in range(6)))))
    assert part.count == 120


def test_a_part_of_few_notes_under_one_of_many_is_not_joined(make_midi):
    riff = {"notes": [(i / 4, 0.25, 40 + i % 5) for i in range(400)], "name": "Melody", "programs": [(0, 30)]}
    lead = {"notes": [(i * 8 + 0.1, 1, 70 + i) for i in range(12)], "name": "Melody", "programs": [(0, 30)]}
    assert [part.count for part in parts_of(make_midi(riff, {**lead, "channel": 1}))] == [400, 12]


def test_cells_that_are_filled_never_count_too_many_clashes():
    rng = np.random.default_rng(1)
    for scale in (3, 40, 4000, 100_000):
        sizes = rng.integers(1, 40, 5)
        start = np.concatenate([np.sort(rng.integers(0, scale * 30, size)) for size in sizes])
        stops = np.cumsum(sizes)
        tracks = [Track("", i % 2, False, slice(int(stop - size), int(stop)), -1, -1)
                  for i, (size, stop) in enumerate(zip(sizes, stops, strict=True))]  # fmt: skip
        score = Tracks(tracks, start, start + rng.integers(1, scale, len(start)), start, start)
        cells, turns = score_parts._cells(score), score_parts._Turns(score)
        groups = [score_parts._Group([i], {0}, int(size), *cells[i]) for i, size in enumerate(sizes)]
        for one in groups:
            for other in groups:
                least = (one.begun & other.filled).bit_count() + (other.begun & one.filled).bit_count()
                assert least <= turns._clashes(one, other)
    assert least > 0


def test_beats_are_found_by_the_first_tuned_parts(make_midi):
    found = parts_of(make_midi({"notes": [(0, 1, 36)], "channel": 9}, {"notes": [(1, 2, 60), (0, 1, 64)], "name": "b"}))
    ((start, end),) = score_parts.spans(found)
    assert (start.tolist(), end.tolist()) == ([0, 480], [480, 1440])
    assert len(score_parts.spans(found[1:] * 100)) == 64
