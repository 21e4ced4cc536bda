"""The key of music, and moving one piece into that of another."""

from pathlib import Path

import pytest
from band_model import follower

import musicae
from musicae import codec as codecs
from musicae.core import Roll
from musicae.errors import MusicaeError
from musicae.ops.inputs import read
from musicae.ops.keys import in_key_of_first, key_of_rolls, semitones_between

DATA = Path(__file__).parents[2] / "data"
SCALE = (60, 62, 64, 65, 67, 69, 71, 72, 67, 60)


@pytest.fixture
def codec(tiny_melody):
    return codecs.load(str(tiny_melody))


def roll(pitches, labels=()):
    return Roll([(4 * i, 4, pitch) for i, pitch in enumerate(pitches)], 4 * len(pitches), 4, labels)


def test_the_key_of_rolls_leaves_drums_out():
    hits = roll([1] * 99, ("kick", "snare"))
    assert key_of_rolls([roll(SCALE), hits]) == (0, False)
    assert key_of_rolls([roll([pitch + 3 for pitch in SCALE])]) == (3, False)
    assert key_of_rolls([hits]) is None
    assert key_of_rolls([]) is None


def test_the_way_from_key_to_key_is_the_shortest_and_relatives_are_one():
    assert semitones_between((2, False), (0, False)) == -2
    assert semitones_between((0, False), (6, False)) == 6
    assert semitones_between((0, False), (7, False)) == -5
    assert semitones_between((9, True), (0, False)) == 0
    assert semitones_between((0, True), (0, False)) == -3
    assert semitones_between((4, True), (9, True)) == 5


def tune(path, key, notes):
    path.write_text(f"X:1\nM:4/4\nL:1/4\nK:{key}\n{notes}\n")
    return path


def test_the_others_are_moved_into_the_key_of_the_first(codec, tmp_path):
    tunes = {"a.abc": ("C", "CDEF|GABc|G2C2|"), "b.abc": ("Eb", "EFGA|Bcde|B2E2|"), "c.abc": ("C", "CDEF|GABc|G2C2|")}
    paths = [tune(tmp_path / name, *text) for name, text in tunes.items()]
    samples = [read(codec, path) for path in paths]
    moved, notices = in_key_of_first(codec, samples, paths, {}, asked=True)
    assert all((one.tensor == samples[0].tensor).all() for one in moved)
    assert notices == ["b.abc (Eb major) was moved 3 semitones down, to fit a.abc (C major)"]
    up = [read(codec, path, transpose=2) for path in paths]
    moved, _ = in_key_of_first(codec, up, paths, {"transpose": 2}, asked=True)
    assert (moved[1].tensor == up[0].tensor).all()
    with pytest.raises(MusicaeError, match="a sample that has been read"):
        in_key_of_first(codec, samples, [paths[0], samples[1], paths[2]], {}, asked=True)


def test_what_cannot_be_moved_stays_where_nobody_asked(codec, tmp_path):
    paths = [tune(tmp_path / f"{key}.abc", key, notes) for key, notes in (("C", "CDEF|GABc|"), ("D", "DEFG|ABcd|"))]
    samples = [read(codec, path) for path in paths]
    moved, notices = in_key_of_first(codec, samples, [paths[0], samples[1]], {}, asked=False)
    assert all(one is sample for one, sample in zip(moved, samples, strict=True))
    assert notices == []
    moved, notices = in_key_of_first(codec, samples, paths, {}, asked=False)
    assert (moved[1].tensor == samples[0].tensor).all()
    assert notices == [
        "D.abc (D major) was moved 2 semitones down, to fit C.abc (C major); --own-key leaves it as it is"
    ]


@pytest.mark.parametrize(
    ("settings", "moved"),
    [({}, True), ({"same_key": False}, False), ({"exact_endpoints": True}, False)],
)
def test_songs_are_brought_into_one_key(tmp_path, settings, moved):
    band = follower()
    paths = [tune(tmp_path / f"{key}.abc", key, notes) for key, notes in (("C", "CDEF|GABc|"), ("D", "DEFG|ABcd|"))]
    made = musicae.interpolate(*paths, preset=band, steps=2, **settings)
    assert bool(made.notices) == moved
    assert (made.parts[0].tensor == made.parts[1].tensor).all() == moved


def test_a_walk_within_one_key(codec, tmp_path):
    a, b = tune(tmp_path / "a.abc", "C", "CDEF|GABc|G2C2|"), tune(tmp_path / "b.abc", "D", "DEFG|ABcd|A2D2|")
    made = musicae.interpolate(a, b, preset=codec, steps=2, same_key=True, exact_endpoints=True)
    assert (made.parts[0].tensor == made.parts[1].tensor).all()
    assert "b.abc (D major) was moved 2 semitones down" in made.notices[0]


def test_what_has_no_key_is_told(tiny_drums):
    with pytest.raises(MusicaeError, match=r"^--same-key: rock\.mid has no clear key; leave it out$"):
        musicae.interpolate(DATA / "rock.mid", DATA / "bossa.mid", preset=str(tiny_drums), same_key=True)
