import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.formats.music.synth import render

DATA = Path(__file__).parents[3] / "data"
RATE = 8000


@pytest.fixture(autouse=True)
def _no_fluidsynth(monkeypatch):
    """Let every machine use our own synthesis."""
    pretty_midi = pytest.importorskip("pretty_midi")

    def missing(*_args, **_settings):
        raise ImportError("fluidsynth was called but it is not installed")

    monkeypatch.setattr(pretty_midi.PrettyMIDI, "fluidsynth", missing)


def loudness(sound: np.ndarray, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(sound[int(start * RATE) : int(end * RATE)] ** 2)))


@pytest.mark.parametrize("name", ["twinkle", "band", "rock"])
def test_the_samples_sound(name, tmp_path):
    remark = render(DATA / f"{name}.mid", tmp_path / "out.wav", rate=RATE)
    sound, rate = soundfile.read(tmp_path / "out.wav")
    assert (rate, sound.ndim) == (RATE, 1)
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.01)
    assert loudness(sound, 0, 1) > 0.02
    assert "the sound is plain" in remark


def test_a_note_sounds_at_its_pitch_with_overtones_and_only_in_its_time(make_midi, tmp_path):
    render(make_midi({"notes": [(0, 1, 69), (4, 1, 69)]}), tmp_path / "out.wav", rate=RATE)
    sound, _ = soundfile.read(tmp_path / "out.wav")
    spectrum = np.abs(np.fft.rfft(sound[: RATE // 2]))
    assert int(spectrum.argmax()) * 2 == pytest.approx(440, abs=4)
    assert spectrum[440] > 0.1 * spectrum[220]
    assert loudness(sound, 1.2, 1.9) < 0.01 * loudness(sound, 0, 0.4)


def test_kick_snare_and_hat_sound_and_differ(make_midi, tmp_path):
    path = make_midi({"notes": [(0, 0.1, 36), (2, 0.1, 38), (4, 0.1, 42), (6, 0.1, 10)], "channel": 9})
    render(path, tmp_path / "out.wav", rate=RATE)
    sound, _ = soundfile.read(tmp_path / "out.wav")
    centres = []
    for start in (0, 1, 2):
        part = sound[start * RATE : start * RATE + RATE // 4]
        assert np.abs(part).max() > 0.05
        power = np.abs(np.fft.rfft(part)) ** 2
        centres.append(float((power * np.arange(len(power)) * 4).sum() / power.sum()))
    assert centres[0] < 300 < centres[1] < centres[2]
    assert loudness(sound, 3, 3.3) < 1e-3


def test_the_same_file_gives_the_same_bytes(tmp_path):
    for name in ("a.wav", "b.wav"):
        render(DATA / "rock.mid", tmp_path / name, rate=RATE)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_a_stream_gives_what_its_file_gives(tmp_path):
    stream = io.BytesIO((DATA / "rock.mid").read_bytes())
    render(DATA / "rock.mid", tmp_path / "a.wav", rate=RATE)
    render(stream, tmp_path / "b.wav", rate=RATE)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_fluidsynth_is_used_where_it_is_found(monkeypatch, tmp_path):
    pretty_midi = sys.modules["pretty_midi"]
    wave = np.sin(np.arange(RATE))
    monkeypatch.setattr(pretty_midi.PrettyMIDI, "fluidsynth", lambda _self, fs: wave if fs == RATE else None)
    assert "fluidsynth" in render(DATA / "twinkle.mid", tmp_path / "out.wav", rate=RATE)
    assert len(soundfile.read(tmp_path / "out.wav")[0]) == RATE


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
        render(DATA / "twinkle.mid", tmp_path / "taken.wav", rate=RATE)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["song.mid", "taken.wav"]
