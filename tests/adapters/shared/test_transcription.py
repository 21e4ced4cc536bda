"""Recordings as scores."""

import io

import numpy as np
import pytest
import soundfile
from sung_tune import TUNE, sing

from musicae.adapters.band import Band
from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.adapters.shared.transcription import Transcription, transcribe
from musicae.errors import MusicaeError
from musicae.tensors import melody_tokens
from musicae.tensors.recorded import RATE
from musicae.tensors.sung import Line

SCALE = [(60, 0.5), (62, 0.5), (64, 0.5), (65, 0.25), (67, 0.25), (69, 0.5)]


def a_line(start, end, pitch, seconds):
    loud = np.full(len(start), 90)
    return Line(np.array(start), np.array(end), np.array(pitch), loud, np.zeros(0, np.float32), 0.0, 1.0, seconds)


def test_a_score_begins_with_the_beat_of_the_first_note():
    line = a_line([1.26, 1.5, 2.0], [1.4, 2.0, 2.5], [60, 62, 64], 3.0)
    loaded = Transcription(line, np.arange(0, 4, 0.5)).loaded(program=73, semitones=2)
    (track,) = loaded.score.tracks
    assert [(note.time, note.duration, note.pitch) for note in track.notes] == [
        (250, 134, 62), (480, 480, 64), (960, 480, 66)
    ]  # fmt: skip
    assert track.program == 73
    assert [tempo.qpm for tempo in loaded.score.tempos] == [pytest.approx(120)]


def test_uneven_beats_keep_their_times():
    beats = np.array([0, 0.5, 1.0, 1.6, 2.2, 2.8, 3.4])
    line = a_line([0.5, 1.0, 1.6], [1.0, 1.6, 2.2], [60, 62, 64], 3.0)
    score = Transcription(line, beats).loaded().score
    assert [note.time for note in score.tracks[0].notes] == [0, 480, 960]
    times = score.to("second").tracks[0].notes
    assert [note.time for note in times] == [pytest.approx(at, abs=1e-3) for at in (0, 0.5, 1.1)]


def test_melodies_and_bands_are_read_from_recordings(tmp_path):
    path = sing(tmp_path / "hum.wav", SCALE)
    sample = Melody().read(path)
    _, _, pitch = melody_tokens.notes(melody_tokens.tokens(sample.tensor))
    assert (pitch + 21).tolist() == [pitch for pitch, _ in SCALE]
    stream = io.BytesIO(path.read_bytes())
    moved = Melody().read(stream, transpose=5)
    assert (melody_tokens.notes(melody_tokens.tokens(moved.tensor))[2] - pitch).tolist() == [5] * len(SCALE)
    assert set(Band().read(path).meta["parts"]) == {"melody"}
    with pytest.raises(MusicaeError, match="MIDI"):
        Drums().read(path)


def test_adapters_of_sound_come_first(tmp_path):
    head = sing(tmp_path / "hum.wav", TUNE[:1]).read_bytes()
    assert Melody.sniff(head, tmp_path / "hum.wav") == Band.sniff(head, tmp_path / "hum.wav") == 0.1
    assert Drums.sniff(head, tmp_path / "hum.wav") == 0


def test_recordings_without_a_pitch(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    with pytest.raises(MusicaeError, match=r"a\.wav has no pitch that can be followed; give a recording of one voice"):
        transcribe(tmp_path / "a.wav")
    with pytest.raises(MusicaeError, match="--tempo must be 10 to 1000"):
        transcribe(tmp_path / "a.wav", 5)


def test_a_doubt_about_what_is_hardly_one_voice(tmp_path):
    rng = np.random.default_rng(0)
    sing(tmp_path / "a.wav", TUNE[:2])
    voice, _ = soundfile.read(tmp_path / "a.wav")
    soundfile.write(tmp_path / "a.wav", np.concatenate([voice, 0.1 * rng.standard_normal(2 * RATE)]), RATE)
    done = []
    found = transcribe(tmp_path / "a.wav", report=lambda at, of: done.append((at, of)))
    assert "has a clear pitch: is it one voice or one instrument alone?" in found.notices[0]
    assert done[-1][0] == pytest.approx(done[-1][1])
