"""The chords of files of notes and of recordings."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from symusic.core import NoteTick, ScoreTick, TempoTick, TextMetaTick, TimeSignatureTick, TrackTick

import musicae
from musicae.errors import MusicaeError
from musicae.tensors.chord_symbols import condition, name, parse

DATA = Path(__file__).parents[2] / "data"
BEAT = 480


def song(path, progression, bar=4, meter=(4, 4), markers=(), tempos=((0, 120),), drums=False):
    """Write block chords over a bass, a block on each beat."""
    score = ScoreTick(BEAT)
    steps = condition(parse(progression), bar * 4 * len(parse(progression)), bar * 4, bar)[:, ::4]
    score.time_signatures.append(TimeSignatureTick(0, *meter))
    for tick, qpm in tempos:
        score.tempos.append(TempoTick(tick, qpm=qpm))
    piano, bass = TrackTick("Piano", 0, drums), TrackTick("Bass", 33, drums)
    for i, column in enumerate(steps.T):
        if column.any():
            root = int(column[:12].argmax())
            bass.notes.append(NoteTick(i * BEAT, BEAT, 36 + root, 90))
            for tone in np.flatnonzero(column[12:]):
                piano.notes.append(NoteTick(i * BEAT, BEAT, 60 + int(tone), 80))
    score.tracks.append(piano)
    score.tracks.append(bass)
    for tick, text in markers:
        score.markers.append(TextMetaTick(tick, text))
    score.dump_midi(path)
    return path


def test_the_chords_of_notes(tmp_path):
    chart = musicae.chords(song(tmp_path / "a.mid", "C | G7 Am | F / / G7 | C"))
    assert chart.bar_texts() == ["C", "G7 Am", "F / / G7", "C"]
    assert (chart.key, chart.flats, chart.meter, chart.tempo) == ("C major", False, "4/4", 120)
    assert (chart.source, chart.first) == ("notes", 1)
    assert chart.spans()[1] == {"chord": "G7", "bar": 2, "beat": 1, "start": 2.0, "end": 3.0}
    assert chart.spans()[3] == {"chord": "F", "bar": 3, "beat": 1, "start": 4.0, "end": 5.5}
    assert [roll.name for roll in chart.rolls if roll.notes] == ["melody", "harmony", "bass"]
    assert chart.rolls[0].chords[:2] == [(0, "C"), (16, "G7")]


def test_a_key_with_flats_is_spelled_with_them(tmp_path):
    chart = musicae.chords(song(tmp_path / "a.mid", "Ab | Db | Eb7 | Ab | Gb | Ab"))
    assert chart.key == "Ab major"
    assert chart.bar_texts()[4] == "Gb"
    chart = musicae.chords(song(tmp_path / "b.mid", "E | A | B7 | E | F# | E"))
    assert chart.key == "E major"
    assert chart.bar_texts()[4] == "F#"


def test_chosen_bars_keep_their_numbers(tmp_path):
    path = song(tmp_path / "a.mid", "C | G | Am | F | C | G")
    chart = musicae.chords(path, bars="3-4")
    assert chart.bar_texts() == ["Am", "F"]
    assert [span["bar"] for span in chart.spans()] == [3, 4]
    assert chart.rolls[0].first == 3
    assert [(span["start"], span["end"]) for span in chart.spans()] == [(4, 6), (6, 8)]


def test_empty_bars_at_the_start_count(tmp_path):
    chart = musicae.chords(song(tmp_path / "a.mid", "N.C. | N.C. | G | C"))
    assert chart.bar_texts() == ["G", "C"]
    assert [(span["bar"], span["start"]) for span in chart.spans()] == [(3, 4), (4, 6)]


def test_bars_of_other_meters_and_changing_tempos(tmp_path):
    path = song(tmp_path / "a.mid", "C | F | G | C", bar=3, meter=(3, 4), tempos=((0, 120), (3 * BEAT, 60)))
    chart = musicae.chords(path)
    assert chart.bar_texts() == ["C", "F", "G", "C"]
    assert chart.meter == "3/4"
    assert [span["start"] for span in chart.spans()] == [0, 1.5, 4.5, 7.5]
    assert chart.times[-1] == 10.5


def test_chords_that_a_file_names_are_taken(tmp_path):
    markers = [(0, "Cmaj9/E"), (4 * BEAT, "A7(b9)"), (6 * BEAT, "Dm7"), (12 * BEAT, "N.C."), (13 * BEAT, "G")]
    chart = musicae.chords(song(tmp_path / "a.mid", "C | C | C | C", markers=markers))
    assert chart.bar_texts() == ["Cmaj9/E", "A7b9 Dm7", "Dm7", "N.C. G / /"]
    assert chart.source == "symbols"
    assert chart.rolls[0].chords[0] == (0, "Cmaj9/E")


def test_chords_of_abc(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text('X:1\nM:4/4\nL:1/4\nK:G\n"G"GABG|"C"cB"D7"Ad|"G"G4|\n')
    chart = musicae.chords(path)
    assert chart.bar_texts() == ["G", "C D7", "G"]
    assert chart.source == "symbols"
    assert musicae.chords(io.BytesIO(path.read_bytes())).bar_texts() == chart.bar_texts()


def test_chords_of_a_recording(tmp_path):
    t = np.arange(11_025) / 22_050
    blocks = []
    for shape in [(36, 60, 64, 67)] * 4 + [(41, 60, 65, 69)] * 4 + [(43, 59, 62, 67)] * 4 + [(36, 60, 64, 67)] * 4:
        tones = [np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t) for pitch in shape]
        blocks.append(0.1 * sum(tones) * np.exp(-3 * t))
    soundfile.write(tmp_path / "a.wav", np.concatenate(blocks * 2), 22_050)
    chart = musicae.chords(tmp_path / "a.wav")
    assert chart.source == "sound"
    assert chart.key == "C major"
    assert chart.tempo == pytest.approx(120, abs=4)
    played = {name(chord) for chord in chart.chords}
    assert {"C", "F", "G"} <= played
    assert len(played) <= 4
    assert chart.chroma is not None
    assert chart.chroma.shape == (12, len(chart.chords))
    assert chart.times[-1] == pytest.approx(16)


def test_what_has_no_chords_is_told_in_a_line(tmp_path):
    (tmp_path / "a.txt").write_text("C | G")
    soundfile.write(tmp_path / "still.wav", np.zeros(8000), 8000)
    for path, what in (
        (DATA / "rock.mid", "rock.mid has no notes with a pitch, only drums"),
        (tmp_path / "none.mid", "there is no file"),
        (tmp_path / "a.txt", "a.txt has no music that can be read"),
        (tmp_path / "still.wav", "still.wav has no pitch that could be heard"),
        (song(tmp_path / "d.mid", "C", drums=True), "d.mid has no notes with a pitch"),
    ):
        with pytest.raises(MusicaeError, match=what):
            musicae.chords(path)
    with pytest.raises(MusicaeError, match="a recording; --bars and --track are for files of notes"):
        musicae.chords(tmp_path / "still.wav", bars="1")
    with pytest.raises(MusicaeError, match="out of range"):
        musicae.chords(DATA / "saints.mid", bars="99")


def test_a_melody_alone_gets_chords_that_fit():
    chart = musicae.chords(DATA / "ode-to-joy.mid")
    assert chart.source == "melody"
    assert chart.key == "D major"
    assert name(chart.chords[0]) == name(chart.chords[-1]) == "D"
    assert {name(chord) for chord in chart.chords} <= {"D", "A", "G", "Em", "Bm"}
