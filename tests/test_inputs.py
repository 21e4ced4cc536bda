"""Which preset fits a file, which files a folder has, and labels."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from scipy.signal import lfilter

from musicae import codec as codecs
from musicae import inputs, preset
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.preset import Preset


@pytest.fixture
def data(repository: Path) -> Path:
    return repository / "data"


# --- which preset --------------------------------------------------------------------------------------------------


def test_the_kind_of_file_picks_the_preset(data: Path, tmp_path: Path) -> None:
    tune = tmp_path / "tune.ABC"
    tune.write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n")
    names = ("twinkle.mid", "band.mid", "rock.mid", "bossa.mid", "three.png")
    assert {name: inputs.preset_for(data / name) for name in names} == {
        "twinkle.mid": "melody-2bar", "band.mid": "melody-2bar", "rock.mid": "drums-2bar", "bossa.mid": "drums-2bar",
        "three.png": "mnist-vae",
    }  # fmt: skip
    assert inputs.preset_for(tune) == "melody-2bar"


def test_what_is_done_picks_the_preset_too(data: Path) -> None:
    assert inputs.preset_for(data / "scene.png", "denoise") == "photo-denoise"
    assert inputs.preset_for(data / "scene.png", "upscale") == "photo-upscale"
    assert inputs.preset_for(data / "scene.png", "vary") == "mnist-vae"
    assert inputs.preset_for(data / "twinkle.mid", "denoise") == "melody-2bar"


def test_a_broken_adapter_of_another_package_keeps_ours_from_no_file(data: Path, entry_points: Any) -> None:
    entry_points.add("adapters", "a-wreck", "no_such_module:Adapter", "musicae-wreck")
    assert inputs.preset_for(data / "rock.mid") == "drums-2bar"


def test_files_that_no_preset_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(
        MusicaeError, match=r"notes.txt is of no kind that is read here \(.aac, .abc, .*, .mid, .midi, .mp3"
    ):
        inputs.preset_for(tmp_path / "notes.txt")
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(MusicaeError, match=r"a\.wav is empty"):
        inputs.preset_for(tmp_path / "a.wav", "interpolate")
    for seconds, name in ((0.5, "drum-sounds"), (3, "sound")):
        soundfile.write(tmp_path / "a.wav", np.zeros(int(8000 * seconds)), 8000)
        assert inputs.preset_for(tmp_path / "a.wav", "interpolate") == name
    assert inputs.preset_for(tmp_path / "a.wav", "denoise") == "denoise"
    for adapter in ("audio.Audio", "mel.Mel"):
        monkeypatch.setattr(f"musicae.adapters.{adapter}.default_preset", "")
    with pytest.raises(MusicaeError, match=r"a\.wav can be read, but no preset is there"):
        inputs.preset_for(tmp_path / "a.wav", "interpolate")
    with pytest.raises(MusicaeError, match="is a folder; name a file in it"):
        inputs.preset_for(tmp_path)
    with pytest.raises(MusicaeError, match="there is no file"):
        inputs.preset_for(tmp_path / "no.mid")
    with pytest.raises(MusicaeError, match="no file to choose a preset by"):
        inputs.codec_for(None)


def test_the_scale_picks_the_preset(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        "photo-upscale": {"corruption": {"name": "downsample", "method": "bicubic"}},
        "photo-upscale-x4": {"corruption": {"name": "downsample", "factor": 4}},
        "photo-upscale-toy": {},
        "other-x3": {"corruption": {"name": "downsample", "factor": 3}},
    }
    monkeypatch.setattr(preset, "listed", lambda: dict.fromkeys(made, "musicae"))
    monkeypatch.setattr(preset, "load", lambda name: Preset(name, made[name]))
    assert inputs.upscaling_preset(data / "scene.png", 2) == "photo-upscale"
    assert inputs.upscaling_preset(data / "scene.png", 4) == "photo-upscale-x4"
    said = r"no preset that upscales scene.png by 3; there is 2 \(photo-upscale\), 4 \(photo-upscale-x4\)"
    with pytest.raises(MusicaeError, match=said):
        inputs.upscaling_preset(data / "scene.png", 3)
    with pytest.raises(MusicaeError, match=r"no preset that upscales rock\.mid by 2; there is none for such files"):
        inputs.upscaling_preset(data / "rock.mid", 2)


def test_the_rate_picks_the_preset_that_denoises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {rate: inputs.nearest_in_rate("denoise", rate) for rate in (8000, 16_000, 22_050, 32_000, 96_000)} == {
        8000: "denoise-speech", 16_000: "denoise-speech", 22_050: "denoise-speech", 32_000: "denoise",
        96_000: "denoise",
    }  # fmt: skip
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "a.wav", [0.0] * 10, 8000)
    monkeypatch.setattr(inputs.codecs, "load", lambda name: name)
    assert inputs.codec_for(None, tmp_path / "in" / "a.wav", verb="denoise") == "denoise-speech"


@pytest.mark.parametrize(
    ("share", "rate", "chosen"),
    [
        (0.9, 44_100, "denoise-speech"),
        (0.1, 44_100, "denoise"),
        (0.1, 22_050, "denoise"),
        (0.1, 16_000, "denoise-speech"),
    ],
)
def test_what_is_in_a_recording_picks_the_preset_that_denoises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, rate: int, chosen: str
) -> None:
    soundfile.write(tmp_path / "a.flac", 0.1 * np.sin(np.arange(rate)), rate)
    heard = []
    monkeypatch.setattr(inputs.stream, "share_kept", lambda codec, samples, rate: heard.append(len(samples)) or share)
    assert inputs.suited_preset(tmp_path / "a.flac", "denoise") == chosen
    assert heard == ([rate] if rate > 16_000 else [])
    assert inputs.suited_preset(tmp_path / "a.flac", "upscale") == "upscale-audio"


def made_up_voice(rate: int, rng: np.random.Generator) -> np.ndarray:
    """Pulses of a high voice's pitch, which falls, through the formants of one vowel after another, and pauses.

    Of a low voice such pulses are apart enough to pass for an engine.
    """
    vowels = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410)]
    parts: list[np.ndarray] = []
    for _ in range(24):
        count = int(rate * rng.uniform(0.12, 0.3))
        turns = np.cumsum(rng.uniform(180, 250) * np.linspace(1.1, 0.9, count) / rate)
        made = np.diff(np.floor(turns), prepend=0.0)
        for centre, breadth in zip(vowels[rng.integers(len(vowels))], (80, 100, 140), strict=True):
            pole = np.exp(-np.pi * breadth / rate)
            made = lfilter([1], [1, -2 * pole * np.cos(2 * np.pi * centre / rate), pole * pole], made)
        made = np.diff(made, prepend=0.0) * np.sqrt(np.hanning(count))
        parts += [0.3 * made / np.abs(made).max(), np.zeros(int(rate * rng.choice([0.02, 0.25])))]
    return np.concatenate(parts)


def made_up_music(rate: int, rng: np.random.Generator) -> np.ndarray:
    """Chords of tones with overtones, which fade."""
    time = np.arange(rate // 2) / rate
    chords = []
    for _ in range(12):
        root = 110 * 2 ** (rng.integers(12) / 12)
        tones = [(root * step * k, k) for step in (1.0, 1.26, 1.498) for k in range(1, 7)]
        chords.append(0.06 * sum(np.sin(2 * np.pi * f * time) / k * np.exp(-k * time) for f, k in tones))
    return np.concatenate(chords)


@pytest.mark.parametrize(("make", "chosen"), [(made_up_voice, "denoise-speech"), (made_up_music, "denoise")])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_trained_preset_tells_a_voice_from_music(tmp_path: Path, make: Any, chosen: str, noise: float) -> None:
    rng = np.random.default_rng(0)
    x = make(44_100, rng)
    soundfile.write(tmp_path / "a.wav", x + noise * rng.standard_normal(len(x)), 44_100)
    assert inputs.suited_preset(tmp_path / "a.wav", "denoise") == chosen


def test_silence_chooses_a_preset_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((1000, 2)), 48_000)
    assert inputs.suited_preset(tmp_path / "a.wav", "denoise") == "denoise"


# --- folders -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    for place in ("b.mid", "sub/a.MID", ".hidden/c.mid", "out/d.mid"):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / "twinkle.mid", tmp_path / "in" / place)
    (tmp_path / "in" / "notes.txt").write_text("hello")
    (tmp_path / "in" / "folder.mid").mkdir()
    return tmp_path / "in"


def test_a_folder_is_all_that_can_be_read_in_it(folder: Path, tiny_melody: Path, data: Path) -> None:
    codec, files = inputs.gather(str(tiny_melody), folder, data / "rock.mid")
    assert codec.preset.name == "tiny-melody"
    assert files[1] == (folder / "out" / "d.mid", Path("out/d.mid"))
    assert inputs.listed([folder, data / "rock.mid"], [".mid"], folder / "out") == [
        (folder / "b.mid", Path("b.mid")),
        (folder / "sub" / "a.MID", Path("sub/a.MID")),
        (data / "rock.mid", Path("rock.mid")),
    ]
    for all_of_it in (folder, folder.parent):
        assert len(inputs.listed([folder], [".mid"], all_of_it)) == 3


def test_what_can_be_denoised_is_sound_and_pictures() -> None:
    assert {".wav", ".mp3", ".png"} <= inputs.noisy_suffixes()
    assert ".mid" not in inputs.noisy_suffixes()


def test_a_file_in_a_folder_picks_the_preset(folder: Path) -> None:
    (folder / "a.mid").write_bytes(b"no music")
    assert inputs._preset_for_several([folder]) == "melody-2bar"


def test_a_folder_with_nothing_to_read(tmp_path: Path, tiny_melody: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for chosen in (None, str(tiny_melody)):
        with pytest.raises(MusicaeError, match=r"has no file that is read here \(.a"):
            inputs.gather(chosen, tmp_path)
    with pytest.raises(MusicaeError, match=r"there is no file .*no\.mid; check the name"):
        inputs.gather(str(tiny_melody), tmp_path / "no.mid")


# --- labels --------------------------------------------------------------------------------------------------------


@pytest.fixture
def classes(tiny_classes: Path) -> Codec:
    return codecs.load(str(tiny_classes))


def test_a_label_is_a_number_or_a_name(classes: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inputs.class_names(classes) == list("0123456789")
    assert [inputs.label_of(classes, label) for label in (7, "7", " 7 ")] == [7, 7, 7]
    monkeypatch.setattr(inputs.registry, "lookup", lambda group, name: type("Set", (), {"classes": "abcdefghij"}))
    assert inputs.label_of(classes, "C") == 2
    assert inputs.label_of(classes, "4") == 4
    with pytest.raises(MusicaeError, match="'tiny-classes' has no label 'k'; it has a, b, c"):
        inputs.label_of(classes, "k")


def test_a_label_becomes_a_condition(classes: Codec, tiny_digits: Path) -> None:
    assert torch.equal(inputs.condition(classes, "2", 3), torch.eye(10)[[2, 2, 2]])  # type: ignore[arg-type]
    plain = codecs.load(str(tiny_digits))
    assert inputs.condition(plain, None, 3) is None
    assert inputs.unconditional(plain) is plain
    for label in (-1, 10, "1.5", ""):
        with pytest.raises(MusicaeError, match="has no label"):
            inputs.condition(classes, label, 1)


def test_larger_windows_are_cut_to_size(classes: Codec) -> None:
    batch = torch.rand(3, 1, 40, 40)
    cut = inputs.cut_to_size(classes, batch, 0)
    assert cut.shape == (3, 1, 28, 28)
    assert torch.equal(cut, inputs.cut_to_size(classes, batch, 0))
    assert inputs.cut_to_size(classes, cut, 0) is cut
