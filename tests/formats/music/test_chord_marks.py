"""The chord symbols that a MIDI file names."""

import pytest

from musicae.formats.music.chord_marks import of_score, of_texts
from musicae.tensors.chord_symbols import name


def score(markers=(), *lyrics):
    """Return a score with markers and tracks with lyrics, all ``(tick, text)``."""
    from symusic.core import ScoreTick, TextMetaTick, TrackTick

    made = ScoreTick(480)
    for tick, text in markers:
        made.markers.append(TextMetaTick(tick, text))
    for words in lyrics:
        track = TrackTick("x", 0, False)
        for tick, text in words:
            track.lyrics.append(TextMetaTick(tick, text))
        made.tracks.append(track)
    return made


def texts(*words):
    return [(480 * i, word) for i, word in enumerate(words)]


def names(marks):
    return [(tick, name(chord)) for tick, chord in marks]


def test_markers_and_lyrics_that_are_chords():
    wanted = [(0, "Am"), (480, "D7/F#"), (960, "N.C."), (1440, "G")]
    words = texts("Am ", "D7/F#", "N.C.", "Gmaj")
    assert names(of_score(score(words))) == wanted
    assert names(of_score(score([], texts("la", "la"), words))) == wanted
    assert names(of_score(score(texts("Verse", "Chorus"), words))) == wanted
    assert names(of_score(score([*words, (9, "musicae start")]))) == wanted


@pytest.mark.parametrize(
    "words",
    [
        "A B C D E F",  # Sections.
        "A A2 B B2 C D",
        "Am Dm G",  # Too few.
        "Am Dm Verse Chorus G7 Solo",
        "A bee sees a dee and e",
        "",
    ],
)
def test_other_texts_are_no_chords(words):
    assert of_texts(texts(*words.split())) == []
    assert of_score(score(texts(*words.split()), texts(*words.split()))) == []


def test_of_several_at_one_tick_the_last_holds():
    marks = of_texts([(960, "G"), (0, "Am"), (0, "Dm"), (480, "F7"), (960, "C")])
    assert names(marks) == [(0, "Dm"), (480, "F7"), (960, "C")]
