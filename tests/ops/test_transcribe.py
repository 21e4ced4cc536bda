"""The notes of a recording."""

import io

import numpy as np
import pytest
from pretty_midi import PrettyMIDI
from sung_tune import TUNE, sing

import musicae
from musicae.errors import MusicaeError


@pytest.fixture(scope="module")
def hum(tmp_path_factory):
    return sing(tmp_path_factory.mktemp("hum") / "hum.wav", [*TUNE, *TUNE])


def test_notes_with_their_times_names_and_key(hum):
    made = musicae.transcribe(hum)
    assert [note["pitch"] for note in made.notes()] == 2 * [pitch for pitch, _ in TUNE]
    first = made.notes()[0]
    assert (first["name"], first["start"]) == ("C4", pytest.approx(0.2, abs=0.03))
    assert made.key == "C major"
    assert abs(made.tuning) < 8
    assert made.notices == []


def test_a_given_tempo_an_instrument_and_another_key(hum):
    made = musicae.transcribe(io.BytesIO(hum.read_bytes()), 100, program=["flute"], transpose=-3)
    assert made.tempo == pytest.approx(100)
    assert made.key == "A major"
    file = io.BytesIO()
    made.save(file)
    file.seek(0)
    midi = PrettyMIDI(file)
    (track,) = midi.instruments
    assert track.program == 73
    assert [note.pitch for note in track.notes] == [note["pitch"] for note in made.notes()]
    sung, written = [note["start"] for note in made.notes()], [note.start for note in track.notes]
    assert np.diff(written) == pytest.approx(np.diff(sung), abs=4e-3)


def test_what_cannot_be_transcribed(hum, tmp_path, data):
    with pytest.raises(MusicaeError, match=r"twinkle\.mid is no recording; give a sound file"):
        musicae.transcribe(data / "twinkle.mid")
    with pytest.raises(MusicaeError, match="there is no file"):
        musicae.transcribe(tmp_path / "none.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(MusicaeError, match="is no recording"):
        musicae.transcribe(tmp_path / "empty.wav")
    with pytest.raises(MusicaeError, match="--transpose must be"):
        musicae.transcribe(hum, transpose=99)
    with pytest.raises(MusicaeError, match="no instrument"):
        musicae.transcribe(hum, program=["zzz"])
