"""Which preset fits a file."""

from __future__ import annotations

import io
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from made_up_sounds import SOLOS, voice, with_hiss
from sung_tune import sing

import musicae
from musicae import codec as codecs
from musicae import hub, preset, registry
from musicae.core import Adapter, Candidate, Sample
from musicae.errors import MusicaeError
from musicae.ops import defaults, detect
from musicae.ops.choose import (
    adapter_for,
    codec_and_doubts,
    codec_for,
    default_preset,
    gather,
    nearest_in_rate,
    preset_for,
    preset_for_several,
    readable_suffixes,
)
from musicae.preset import Preset


@pytest.fixture(autouse=True)
def _fresh_defaults() -> Any:
    """Forget which presets are defaults, before and after a test that changes them."""
    defaults.defaults.cache_clear()
    yield
    defaults.defaults.cache_clear()


# --- which preset --------------------------------------------------------------------------------------------------


def test_the_kind_of_file_picks_the_preset(data: Path, tmp_path: Path) -> None:
    tune = tmp_path / "tune.ABC"
    tune.write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n")
    names = ("twinkle.mid", "band.mid", "rock.mid", "bossa.mid", "three.png")
    assert {name: preset_for(data / name) for name in names} == {
        "twinkle.mid": "melody-2bar", "band.mid": "band-2bar", "rock.mid": "drums-2bar", "bossa.mid": "drums-2bar",
        "three.png": "mnist-vae",
    }  # fmt: skip
    assert preset_for(tune) == "melody-2bar"


def test_what_is_read_of_a_song_picks_the_preset(data: Path, tmp_path: Path) -> None:
    song = data / "band.mid"
    assert preset_for(song, only="melody") == "melody-2bar"
    assert preset_for(song, only="drums") == "drums-2bar"
    assert preset_for(data / "twinkle.mid", only="melody") == "melody-2bar"
    assert preset_for_several([song], "drums") == "drums-2bar"
    with pytest.raises(
        MusicaeError, match=r"reads only 'melodie' of a song; did you mean 'melody'\?; choose with --preset"
    ):
        preset_for(song, only="melodie")
    with pytest.raises(MusicaeError, match=r"no preset is there to encode .*three\.png; choose one with --preset"):
        preset_for(data / "three.png", only="melody")
    with pytest.raises(
        MusicaeError, match="no preset reads only 'melody' of a song; there is none; choose with --preset"
    ):
        preset_for(data / "scene.png", "denoise", only="melody")
    with pytest.raises(MusicaeError, match="--preset and --only both choose the preset; give one of them"):
        codec_for("melody-2bar", song, only="melody")


def test_a_preset_without_weights_is_no_default() -> None:
    for name, owner in preset.listed().items():
        if owner == "musicae" and preset.load(name).default_for:
            assert hub.find_weights(name) is not None


def test_the_job_picks_the_preset_too(data: Path) -> None:
    assert preset_for(data / "scene.png", "denoise") == "photo-denoise"
    assert preset_for(data / "scene.png", "upscale", 2) == "photo-upscale"
    assert preset_for(data / "scene.png") == "mnist-vae"
    assert default_preset("sample") == "melody-2bar"
    with pytest.raises(MusicaeError, match=r"no preset is there to denoise .*twinkle\.mid; choose one with --preset"):
        preset_for(data / "twinkle.mid", "denoise")
    with pytest.raises(MusicaeError, match="no preset is a default for 'cook'; choose one with --preset"):
        default_preset("cook")


def test_every_default_is_one_of_a_job_that_there_is() -> None:
    jobs = {job for name in preset.listed() for job in preset.load(name).default_for}
    assert jobs == {"accompany", "code", "denoise", "drumify", "humanize", "sample", "upscale"}


def test_content_comes_before_the_suffix(data: Path, tmp_path: Path) -> None:
    for name, wanted in (("twinkle.mid", "melody"), ("rock.mid", "drums"), ("three.png", "image")):
        content = (data / name).read_bytes()
        assert adapter_for(io.BytesIO(content)) == wanted
        (tmp_path / "a.bin").write_bytes(content)
        assert adapter_for(tmp_path / "a.bin") == wanted
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(30_000), 8000, format="WAV")
    sound.seek(0)
    assert adapter_for(sound) == "audio"
    assert sound.tell() == 0


def test_a_broken_adapter_of_another_package_keeps_ours_from_no_file(data: Path, entry_points: Any) -> None:
    entry_points.add("adapters", "a-wreck", "no_such_module:Adapter", "musicae-wreck")
    assert preset_for(data / "rock.mid") == "drums-2bar"


def test_files_that_no_preset_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    said = r"notes.txt is of no kind that can be read \(.*\.aac, \.abc, .*, \.mid, \.midi, .*\.mp3"
    with pytest.raises(MusicaeError, match=said):
        preset_for(tmp_path / "notes.txt")
    for seconds, name in ((0.5, "drum-sounds"), (3, "sound")):
        soundfile.write(tmp_path / "a.wav", np.zeros(int(8000 * seconds)), 8000)
        assert preset_for(tmp_path / "a.wav") == name
    assert preset_for(tmp_path / "a.wav", "denoise") == "denoise-speech"
    defaults.defaults.cache_clear()
    monkeypatch.setattr(preset, "listed", dict)
    with pytest.raises(MusicaeError, match=r"no preset is there to encode .*a\.wav; choose one with --preset"):
        preset_for(tmp_path / "a.wav")
    with pytest.raises(MusicaeError, match="is a folder; name a file in it"):
        preset_for(tmp_path)
    with pytest.raises(MusicaeError, match="there is no file"):
        preset_for(tmp_path / "no.mid")
    with pytest.raises(MusicaeError, match="no file to choose a preset by"):
        codec_for(None)


def test_a_file_that_cannot_be_read_says_so_when_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "a.mid").write_bytes(b"no music")
    for name, wanted in (("a.wav", {"audio", "mel"}), ("a.mid", {"melody", "drums"})):
        assert adapter_for(tmp_path / name) in wanted


def test_the_scale_picks_the_preset(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = {"name": "image"}
    made = {
        "photo-upscale": {"name": "downsample", "method": "bicubic"},
        "photo-upscale-x4": {"name": "downsample", "factor": 4},
    }
    presets = {
        name: Preset(name, {"adapter": image, "corruption": part}, default_for=("upscale",))
        for name, part in made.items()
    }
    presets["photo-toy"] = Preset("photo-toy", {"adapter": image}, default_for=("code",))
    monkeypatch.setattr(preset, "listed", lambda: dict.fromkeys(presets, "musicae"))
    monkeypatch.setattr(preset, "load", lambda name: presets[name])
    assert preset_for(data / "scene.png", "upscale", 2) == "photo-upscale"
    assert preset_for(data / "scene.png", "upscale", 4) == "photo-upscale-x4"
    said = r"no preset that upscales scene.png by 3; there is 2 \(photo-upscale\), 4 \(photo-upscale-x4\)"
    with pytest.raises(MusicaeError, match=said):
        preset_for(data / "scene.png", "upscale", 3)
    with pytest.raises(MusicaeError, match=r"no preset is there to upscale .*rock\.mid"):
        preset_for(data / "rock.mid", "upscale", 2)


def test_the_rate_picks_the_preset_of_a_pipe_and_of_what_is_upscaled(tmp_path: Path) -> None:
    assert {rate: nearest_in_rate("denoise", rate) for rate in (8000, 16_000, 22_050, 32_000, 96_000)} == {
        8000: "denoise-speech",
        16_000: "denoise-speech",
        22_050: "denoise-speech",
        32_000: "denoise",
        96_000: "denoise",
    }
    for rate, name in ((8000, "upscale-audio-speech"), (22_050, "upscale-audio"), (16_000, "upscale-audio")):
        soundfile.write(tmp_path / "x.wav", np.zeros(100), rate)
        assert preset_for(tmp_path / "x.wav", "upscale", 2) == name


def test_an_adapter_selects_among_several_presets(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str, Any]] = []

    def last(file: Any, candidates: Any, scale: int = 1) -> Candidate:
        seen.extend((one.name, one.content, one.settings.get("channels")) for one in candidates)
        return candidates[-1]

    presets = {
        name: Preset(name, {"adapter": {"name": "image", "channels": n}}, default_for=("denoise",), content=content)
        for name, n, content in (("a", 1, ""), ("b", 3, "faces"))
    }
    monkeypatch.setattr(preset, "listed", lambda: dict.fromkeys(presets, "musicae"))
    monkeypatch.setattr(preset, "load", lambda name: presets[name])
    assert preset_for(data / "scene.png", "denoise") == "a"
    monkeypatch.setattr(registry.lookup("adapters", "image"), "select", last)
    assert preset_for(data / "scene.png", "denoise") == "b"
    assert seen == [("a", "", 1), ("b", "faces", 3)]


def test_an_adapter_of_ones_own_is_chosen_by_its_score(
    tmp_path: Path, entry_points: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shout(registry.lookup("adapters", "melody")):  # type: ignore[misc]
        suffixes = (".shout",)

        @classmethod
        def sniff(cls, head: bytes, file: Any) -> float:
            return 1.0 if head.startswith(b"HEY") else 0.0

    entry_points.add("adapters", "shout", "shouting:Shout", "musicae-shout")
    monkeypatch.setitem(sys.modules, "shouting", type(sys)("shouting"))
    sys.modules["shouting"].Shout = Shout  # type: ignore[attr-defined]
    (tmp_path / "a.mid").write_bytes(b"HEY")
    assert issubclass(Shout, Adapter)
    assert adapter_for(tmp_path / "a.mid") in ("drums", "melody")  # No preset is there for it yet.
    (tmp_path / "loud.toml").write_text(
        "default_for = ['code']\n[adapter]\nname = 'shout'\n[model]\nname = 'patch-vae'\n"
    )
    monkeypatch.setattr(sys.modules["shouting"], "LOUD", tmp_path / "loud.toml", raising=False)
    entry_points.add("presets", "loud", "shouting:LOUD", "musicae-shout")
    defaults.defaults.cache_clear()
    assert adapter_for(tmp_path / "a.mid") == "shout"
    assert preset_for(tmp_path / "a.mid") == "loud"


@pytest.mark.parametrize(("make", "chosen"), [(voice, "denoise-speech"), (SOLOS["piano"], "denoise")])
@pytest.mark.parametrize("snr", [60, 20])
def test_a_voice_goes_to_the_preset_for_speech_and_an_instrument_does_not(
    tmp_path: Path, make: Any, chosen: str, snr: float
) -> None:
    rng = np.random.default_rng(2)
    soundfile.write(tmp_path / "a.wav", with_hiss(make(44_100, rng), rng, snr), 44_100)
    assert preset_for(tmp_path / "a.wav", "denoise") == chosen


def test_what_is_in_doubt_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "log_odds", lambda content, samples, rate: -0.5)
    soundfile.write(tmp_path / "a.wav", 0.1 * np.ones((3000, 2)), 48_000)
    codec, doubts = codec_and_doubts(None, tmp_path / "a.wav", job="denoise")
    assert codec.preset.name == "denoise"
    assert doubts == [f"{tmp_path / 'a.wav'} was taken for music; if it is speech, add --preset denoise-speech"]
    assert codec_and_doubts("denoise", tmp_path / "a.wav", job="denoise")[1] == []


def test_silence_chooses_a_preset_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((1000, 2)), 48_000)
    assert preset_for(tmp_path / "a.wav", "denoise") == "denoise"


# --- folders -------------------------------------------------------------------------------------------------------


def test_a_file_in_a_folder_picks_the_preset(data: Path, tmp_path: Path, tiny_melody: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(data / "twinkle.mid", folder / "b.mid")
    (folder / "notes.txt").write_text("hello")
    assert preset_for_several([folder]) == "melody-2bar"
    codec, files = gather(str(tiny_melody), folder, data / "rock.mid")
    assert codec.preset.name == "tiny-melody"
    assert files == [(folder / "b.mid", Path("b.mid")), (data / "rock.mid", Path("rock.mid"))]


def test_a_folder_with_nothing_to_read(tmp_path: Path, tiny_melody: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for chosen in (None, str(tiny_melody)):
        with pytest.raises(MusicaeError, match=r"has no file that can be read \(\."):
            gather(chosen, tmp_path)
    with pytest.raises(MusicaeError, match=r"there is no file .*no\.mid; check the name"):
        gather(str(tiny_melody), tmp_path / "no.mid")


def test_what_can_be_denoised_is_sound_and_pictures() -> None:
    assert {".wav", ".mp3", ".png"} <= readable_suffixes("denoise")
    assert ".mid" not in readable_suffixes("denoise")


def test_a_codec_is_loaded_by_its_name_or_taken_as_it_is(tiny_melody: Path) -> None:
    codec = codecs.load(str(tiny_melody))
    assert codec_for(codec) is codec
    assert codec_for(str(tiny_melody)).preset.name == "tiny-melody"
    sample = codec.adapter.blank()
    with pytest.raises(MusicaeError, match="a sample does not say which preset it is of; give one"):
        codec_for(None, Sample(torch.zeros(1), sample))


class Pipe(io.BytesIO):
    """A stream that cannot go back."""

    def seekable(self) -> bool:
        return False


def test_the_verbs_read_a_stream_that_cannot_seek_once(data: Path) -> None:
    content = (data / "three.png").read_bytes()

    def pipe() -> Pipe:
        return Pipe(content)

    wanted = musicae.reconstruct(data / "three.png").sample.tensor
    assert torch.equal(musicae.reconstruct(pipe()).sample.tensor, wanted)
    torch.testing.assert_close(musicae.interpolate(pipe(), pipe(), steps=2).parts[0].tensor, wanted)
    assert musicae.vary(pipe())[0].tensor.shape == wanted.shape
    assert musicae.encode(pipe(), pipe())["names"].tolist() == ["the stream", "the stream"]


def test_a_stream_is_read_from_its_beginning_wherever_it_is(data: Path) -> None:
    stream = io.BytesIO()
    stream.write((data / "rock.mid").read_bytes())  # It is at its end now.
    assert preset_for(stream) == "drums-2bar"
    assert stream.tell() == len(stream.getvalue())
    with pytest.raises(MusicaeError, match=r"the stream is empty \(0 bytes\)"):
        preset_for(io.BytesIO())


def test_an_adapter_of_another_package_that_fails_to_sniff_is_left_out(
    data: Path, entry_points: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        suffixes = (".mid",)

        @classmethod
        def sniff(cls, head: bytes, file: Any) -> float:
            raise ZeroDivisionError

    module = types.ModuleType("broken_plugin")
    vars(module).update(Broken=Broken)
    monkeypatch.setitem(sys.modules, "broken_plugin", module)
    entry_points.add("adapters", "broken", "broken_plugin:Broken", "their-package")
    assert adapter_for(data / "twinkle.mid") == "melody"


def test_with_a_file_of_notes_a_recording_is_a_tune(data: Path, tmp_path: Path) -> None:
    hum, tune, song = sing(tmp_path / "hum.wav", [(60, 2.5)]), data / "twinkle.mid", data / "saints.mid"
    assert adapter_for(hum) == adapter_for(hum, others=[hum]) == "audio"
    assert adapter_for(hum, others=[tune]) == adapter_for(tune, others=[hum]) == "melody"
    assert adapter_for(hum, others=[song]) == adapter_for(song, others=[hum]) == "band"
    assert adapter_for(hum, "accompany") == "band"
    assert adapter_for(hum, only="melody") == "melody"
    assert adapter_for(tune, others=[tmp_path / "missing.mid"]) == "melody"
    assert adapter_for(hum, others=[data / "three.png"]) == "audio"
