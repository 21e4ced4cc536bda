import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.formats.music import synth
from musicae.formats.music.synth import RATE, VARIABLE, render

DATA = Path(__file__).parents[3] / "data"


@pytest.fixture(autouse=True)
def _default_synth(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def play(make_midi, tmp_path):
    """Render tracks as `make_midi` takes them, and return the sound ``(frames, 2)``."""

    def played(*tracks, **settings):
        render(make_midi(*tracks, **settings), tmp_path / "out.wav")
        return soundfile.read(tmp_path / "out.wav")[0]

    return played


def loudness(sound: np.ndarray, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(sound[int(start * RATE) : int(end * RATE)] ** 2)))


def power(sound: np.ndarray, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(sound.mean(1))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(spectrum[(hertz >= low) & (hertz < high)].sum())


@pytest.mark.parametrize("name", ["twinkle", "band", "rock"])
def test_the_samples_sound(name, tmp_path):
    assert render(DATA / f"{name}.mid", tmp_path / "out.wav") == "the sound is by midirenderer"
    sound, rate = soundfile.read(tmp_path / "out.wav")
    assert (rate, sound.shape[1], soundfile.info(tmp_path / "out.wav").subtype) == (RATE, 2, "PCM_16")
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.01)
    assert loudness(sound, 0, 1) > 0.02


def test_a_note_sounds_at_its_pitch_and_decays_after_its_end(play):
    sound = play({"notes": [(0, 2, 69)], "programs": [(0, 73)]})
    spectrum = np.abs(np.fft.rfft(sound[RATE // 4 : RATE // 4 + RATE // 2].mean(1)))
    assert int(spectrum.argmax()) * 2 == pytest.approx(440, abs=4)
    held, end = loudness(sound, 0.2, 0.9), len(sound) / RATE
    assert 1.1 < end < 5
    assert 0 < loudness(sound, end - 0.1, end) < 0.01 * held


def test_the_decay_of_the_last_note_is_not_cut(play):
    sound = play({"notes": [(0, 1, 49)], "channel": 9})  # A crash cymbal.
    assert len(sound) > 3 * RATE
    assert loudness(sound, len(sound) / RATE - 0.1, len(sound) / RATE) < 1e-3


def test_programs_have_their_own_sound(play):
    piano, flute = (play({"notes": [(0, 4, 72)], "programs": [(0, program)]}) for program in (0, 73))
    late = [loudness(sound, 1.2, 1.8) / loudness(sound, 0, 0.5) for sound in (piano, flute)]
    assert late[0] < 0.5 * late[1]


def test_velocity_is_loudness(play):
    sound = play({"notes": [(0, 1, 60, 110), (4, 1, 60, 40)]})
    assert loudness(sound, 2, 2.4) / loudness(sound, 0, 0.4) == pytest.approx((40 / 110) ** 2, rel=0.15)


def test_kick_snare_and_hat_differ(play):
    sound = play({"notes": [(0, 0.1, 36), (2, 0.1, 38), (4, 0.1, 42)], "channel": 9})
    centres = []
    for start in (0, 1, 2):
        part = sound[start * RATE : start * RATE + RATE // 4].mean(1)
        assert np.abs(part).max() > 0.05
        spectrum = np.abs(np.fft.rfft(part)) ** 2
        centres.append(float((spectrum * np.arange(len(spectrum)) * 4).sum() / spectrum.sum()))
    assert centres[0] < 500 < centres[1] < centres[2]


def test_tempo_changes_count(play):
    sound = play({"notes": [(0, 0.5, 60), (4, 0.5, 60), (8, 0.5, 60)]}, tempos=[(0, 500_000), (4, 1_000_000)])
    for start in (0, 2, 6):  # In seconds.
        assert loudness(sound, start, start + 0.2) > 0.05
        assert start == 0 or loudness(sound, start - 0.2, start - 0.02) < 0.005


def test_all_parts_of_a_band_are_there(play):
    drums = {"notes": [(step / 2, 0.1, 42) for step in range(8)], "channel": 9}
    bass = {"notes": [(step, 1, 33) for step in range(4)], "channel": 1, "programs": [(0, 33)]}
    piano = {"notes": [(step, 1, 72) for step in range(4)]}
    for missing, band in ((drums, (9000, 15000)), (bass, (40, 120)), (piano, (480, 560))):
        others = [part for part in (drums, bass, piano) if part is not missing]
        with_it, without = (power(play(*parts), *band) for parts in ((*others, missing), others))
        assert with_it > 4 * without


def test_more_tracks_than_channels_keep_their_programs(play):
    silent = [{"notes": [(40, 1, 60, 1)], "programs": [(0, 40)], "name": str(i)} for i in range(20)]
    alone, among = play({"notes": [(0, 4, 72)]}), play({"notes": [(0, 4, 72)]}, *silent)
    np.testing.assert_allclose(among[:RATE], alone[:RATE], atol=2e-3)


def test_stretches_add_up_to_the_whole(make_midi, tmp_path, monkeypatch):
    held = {"notes": [(1, 9, 40)], "programs": [(0, 48)], "channel": 1}
    path = make_midi({"notes": [(i, 1.5, 60 + i % 5) for i in range(12)]}, held)
    curves = []
    for stretch in (synth._STRETCH, RATE):
        monkeypatch.setattr(synth, "_STRETCH", stretch)
        render(path, tmp_path / "out.wav")
        sound, _ = soundfile.read(tmp_path / "out.wav")
        curves.append([loudness(sound, at, at + 0.1) for at in np.arange(0, 7, 0.1)])
    np.testing.assert_allclose(*curves, atol=0.02)
    assert min(curves[0][:60]) > 0.05


def test_what_would_be_clipped_is_rendered_more_quietly(make_midi, tmp_path, monkeypatch):
    tracks = [{"notes": [(0, 2, pitch, 127) for pitch in range(48, 84, 4)], "programs": [(0, 62)]} for _ in range(5)]
    path = make_midi(*({**one, "name": str(i)} for i, one in enumerate(tracks)))
    volumes = []
    made = synth._midi_bytes
    monkeypatch.setattr(
        synth, "_midi_bytes", lambda some, volume, decay: volumes.append(volume) or made(some, volume, decay)
    )
    render(path, tmp_path / "out.wav")
    assert len(volumes) > 1
    sound, _ = soundfile.read(tmp_path / "out.wav")
    assert np.count_nonzero(np.abs(sound) > 0.899) < 20


def test_the_same_file_gives_the_same_bytes(tmp_path):
    for name in ("a.wav", "b.wav"):
        render(DATA / "rock.mid", tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_a_stream_gives_what_its_file_gives(tmp_path):
    stream, made = io.BytesIO((DATA / "rock.mid").read_bytes()), io.BytesIO()
    render(DATA / "rock.mid", tmp_path / "a.wav")
    render(stream, made)
    assert (tmp_path / "a.wav").read_bytes() == made.getvalue()


def test_fluidsynth_is_used_where_it_is_asked_for(monkeypatch, tmp_path):
    import pretty_midi

    wave = np.sin(np.arange(RATE) / 20)
    monkeypatch.setenv(VARIABLE, "fluidsynth")
    monkeypatch.setitem(sys.modules, "fluidsynth", object())
    monkeypatch.setattr(pretty_midi.PrettyMIDI, "fluidsynth", lambda _self, fs, normalize: wave if fs == RATE else None)
    assert render(DATA / "twinkle.mid", tmp_path / "out.wav") == "the sound is by fluidsynth"
    sound, _ = soundfile.read(tmp_path / "out.wav")
    np.testing.assert_allclose(sound, 0.9 * np.stack([wave, wave], 1), atol=1e-3)


def test_a_synthesiser_that_is_unknown_or_missing_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, "fluidsynt")
    with pytest.raises(MusicaeError, match="no synthesiser named 'fluidsynt'; did you mean 'fluidsynth'"):
        render(DATA / "twinkle.mid", tmp_path / "out.wav")
    monkeypatch.setenv(VARIABLE, "fluidsynth")
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(MusicaeError, match="needs FluidSynth and the package pyfluidsynth; install them, or unset"):
        render(DATA / "twinkle.mid", tmp_path / "out.wav")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_rendered_leaves_no_file(make_midi, tmp_path):
    out = tmp_path / "out.wav"
    with pytest.raises(MusicaeError, match="no notes"):
        render(make_midi({"notes": []}), out)
    with pytest.raises(MusicaeError, match=r"hours; at most one"):
        render(make_midi({"notes": [(0, 1, 60), (20_000, 1, 60)]}), out)
    with pytest.raises(MusicaeError, match="no file"):
        render(tmp_path / "gone.mid", out)
    with pytest.raises(MusicaeError, match="no folder"):
        render(DATA / "twinkle.mid", tmp_path / "gone" / "out.wav")
    (tmp_path / "taken.wav").mkdir()
    with pytest.raises(MusicaeError, match="cannot be written"):
        render(DATA / "twinkle.mid", tmp_path / "taken.wav")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["song.mid", "taken.wav"]
