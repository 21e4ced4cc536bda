"""Which part of a band each track plays."""

from __future__ import annotations

import pytest

from musicae.adapters.shared.arrangement import arrange, mark_parts, written_parts
from musicae.errors import MusicaeError
from musicae.formats.music import midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.tracks import Tracks

TUNE = [(i, 1, 67 + i % 5) for i in range(16)]
LOW = [(i, 1, 38 + i % 5) for i in range(16)]
CHORDS = [(4 * i, 4, pitch) for i in range(4) for pitch in (55, 60, 64)]
BEAT = [(i, 0.1, 36) for i in range(16)]


@pytest.fixture
def parts_of(make_midi):
    """Return a function that gives the parts of a file of tracks ``(name, program, notes)``; program -1 is drums."""

    def make(*tracks):
        channels = iter(i for i in range(16) if i != 9)
        written = [
            {"name": name, "notes": notes, "channel": 9}
            if program < 0
            else {"name": name, "notes": notes, "channel": next(channels), "programs": [(0, program)]}
            for name, program, notes in tracks
        ]
        return score_parts.parts(midi.load(make_midi(*written, charset="utf-8")).tracks)

    return make


def numbers(arrangement):
    return {part: [track.number for track in tracks] for part, tracks in arrangement.tracks.items() if tracks}


FOUR = (("Kit", -1, BEAT), ("Strings", 48, CHORDS), ("Slap", 36, LOW), ("Flute", 73, TUNE))


def test_each_track_of_a_band_goes_to_its_part(parts_of):
    made = arrange(parts_of(*FOUR))
    assert numbers(made) == {"melody": [4], "bass": [3], "harmony": [2], "drums": [1]}
    assert made.remarks[:4] == [
        "melody: track 4 Flute (16 notes)",
        "bass: track 3 Slap (16 notes)",
        "harmony: track 2 Strings (12 notes)",
        "drums: track 1 Kit (drums, 16 notes)",
    ]
    assert any("--part TRACK=PART" in remark for remark in made.remarks)


@pytest.mark.parametrize("name", ["Bass", "E-Bass", "BS", "el bajo", "ベース", "контрабас"])
def test_a_bass_is_told_by_its_name_where_no_program_says_so(name, parts_of):
    high = [(start, length, pitch + 24) for start, length, pitch in LOW]
    assert numbers(arrange(parts_of(("A", 0, TUNE), (name, 0, high), ("B", 0, CHORDS))))["bass"] == [2]


def test_a_bassoon_is_no_bass(parts_of):
    found = numbers(arrange(parts_of(("Bassoon", 70, TUNE), ("Piano", 0, CHORDS))))
    assert "bass" not in found


def test_else_the_lowest_line_is_the_bass_if_it_is_low(parts_of):
    assert numbers(arrange(parts_of(("A", 0, TUNE), ("B", 0, LOW), ("C", 0, CHORDS))))["bass"] == [2]
    thick = [(start, 4, pitch - 24) for start, _, pitch in CHORDS]
    assert "bass" not in numbers(arrange(parts_of(("A", 0, TUNE), ("B", 0, thick))))
    assert "bass" not in numbers(arrange(parts_of(("A", 0, TUNE), ("B", 0, [(s, n, p - 7) for s, n, p in TUNE]))))


def test_one_track_alone_is_the_melody(parts_of):
    assert numbers(arrange(parts_of(("Tuba", 58, LOW)))) == {"melody": [1]}
    assert numbers(arrange(parts_of(("Kit", -1, BEAT)))) == {"drums": [1]}
    assert numbers(arrange(parts_of(("Bass", 33, LOW)))) == {"bass": [1]}


def test_several_basses_and_drums_play_together(parts_of):
    made = arrange(parts_of(("a", 33, LOW), ("b", 38, LOW), ("c", -1, BEAT), ("d", 0, TUNE), ("e", -1, BEAT)))
    assert numbers(made) == {"melody": [4], "bass": [1, 2], "drums": [3, 5]}


def test_sounds_without_a_pitch_are_left_out(parts_of):
    made = arrange(parts_of(("Sea", 122, TUNE), ("Flute", 73, TUNE)))
    assert numbers(made) == {"melody": [2]}
    assert "left out, since they have no pitch: track 1 Sea (16 notes)" in made.remarks


def test_tracks_are_sent_to_parts(parts_of):
    band = parts_of(*FOUR)
    assert numbers(arrange(band, ["2=melody"])) == {"melody": [2], "bass": [3], "harmony": [4], "drums": [1]}
    assert numbers(arrange(band, ["flute = Harmony"])) == {"melody": [2], "bass": [3], "harmony": [4], "drums": [1]}
    assert numbers(arrange(band, ["3=none", "1=none"])) == {"melody": [4], "harmony": [2]}
    assert numbers(arrange(band, ["4=bass", "3=harmony"]))["bass"] == [4]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["3"], "names no track and part; write TRACK=PART, such as 3=harmony"),
        (["=bass"], "names no track and part"),
        (["3=harmonie"], r"there is no part 'harmonie'; did you mean 'harmony'\?"),
        (["9=bass"], "there is no track '9'; choose from 1 Kit"),
        (["3=bass", "slap=melody"], "track 3 Slap .* is sent to a part twice; name it once"),
        (["3=bass", "3=bass"], "is sent to a part twice"),
        (["1=melody"], "track 1 Kit .* is drums; it cannot be the melody"),
        (["2=drums"], "track 2 Strings .* is not drums; it cannot be the drums"),
    ],
)
def test_what_cannot_be_sent_is_refused(chosen, message, parts_of):
    with pytest.raises(MusicaeError, match=message):
        arrange(parts_of(*FOUR), chosen)


def test_a_score_says_which_parts_its_tracks_play_where_the_rule_would_err(make_midi):
    path = make_midi({"name": "Söng", "notes": TUNE}, {"name": "Other", "notes": CHORDS, "channel": 1}, charset="utf-8")
    score = midi.load(path).score
    mark_parts(score, {"melody": "Söng", "harmony": "Other"})
    assert written_parts(score) == {}
    mark_parts(score, {"melody": "Other", "harmony": "Söng"})
    assert written_parts(score) == {"Other": "melody", "Söng": "harmony"}
    available = score_parts.parts(Tracks.of(score))
    assert numbers(arrange(available, (), written_parts(score))) == {"melody": [2], "harmony": [1]}
    assert numbers(arrange(available, ["1=melody"], written_parts(score))) == {"melody": [1], "harmony": [2]}


def test_marks_of_other_tracks_are_passed_over(parts_of):
    band = parts_of(*FOUR)
    assert numbers(arrange(band, (), {"Gone": "melody"})) == numbers(arrange(band))
    assert numbers(arrange(band, (), {"Kit": "melody", "Flute": "bass"})) == {
        "bass": [4], "harmony": [2, 3], "drums": [1],
    }  # fmt: skip


def test_a_mark_that_another_program_changed_is_passed_over(parts_of):
    from symusic.core import ScoreTick, TextMetaTick

    score = ScoreTick(480)
    for text in ('bass: "Kit"', 'melody: "Kit', r"melody: a\q", "melody: [1]", "melody: " + "[" * 100_000, "bass"):
        score.markers.append(TextMetaTick(0, f"musicae part {text}"))
    assert written_parts(score) == {"Kit": "bass"}
