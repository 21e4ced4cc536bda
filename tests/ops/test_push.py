"""A preset goes to the hub and comes back the same."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hub_server import TOKEN, Hub
from PIL import Image

import musicae
from musicae import checkpoint, codec, preset, remote
from musicae import hub as hubs
from musicae.errors import MusicaeError
from musicae.ops.model_card import CardOptions
from musicae.ops.push import bundle, load_trained, target

SHIPPED = Path(preset.find("drums-2bar")).parent


@pytest.fixture
def login(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub, with somebody logged in who is called `me`."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub


def test_a_preset_goes_to_the_hub_and_comes_back(login: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "mine"
    run.mkdir()
    for ending in ("safetensors", "attributes.safetensors"):
        shutil.copyfile(SHIPPED / f"drums-2bar.{ending}", run / f"model.{ending}")
    done = musicae.push(str(run), "me/grooves", CardOptions({"accuracy": 0.5}, "apache-2.0"), message="first")
    commit = login.repos["me/grooves"].revisions["main"]
    assert done == (f"hf:me/grooves@{commit}", f"{login.address}/me/grooves")
    files = login.repos["me/grooves"].commits[commit]
    assert sorted(files) == [".gitattributes", "README.md", "example.png", "example.wav",
                             "model.attributes.safetensors", "model.safetensors", "preset.toml"]  # fmt: skip
    assert "| `accuracy` | 0.5 |" in files["README.md"].decode()
    assert Image.open(io.BytesIO(files["example.png"])).size[0] > 300
    assert files["example.wav"].startswith(b"RIFF")
    here, back = codec.load("drums-2bar"), codec.load(done.name)
    assert back.path != here.path
    assert torch.equal(musicae.sample(back)[0].tensor, musicae.sample(here)[0].tensor)
    shifted = [musicae.shift(musicae.sample(one)[0], "density=+1", preset=one).parts[0].tensor for one in (here, back)]
    assert torch.equal(*shifted)
    assert codec.load("hf:me/grooves").path == back.path
    login.status = 503
    remote.forget()
    assert codec.load("hf:me/grooves").path == back.path


def test_what_exists_is_replaced_only_when_asked(login: Hub, tiny_melody: Path) -> None:
    login.add("me/tunes", {"model.attributes.safetensors": b"of other weights", "notes.txt": b"kept"})
    with pytest.raises(MusicaeError, match=r"^hf:me/tunes exists at the hub already; -f adds a new version"):
        musicae.push(str(tiny_melody), "me/tunes")
    musicae.push(str(tiny_melody), "hf:me/tunes", new_version=True)
    files = login.repos["me/tunes"].commits[login.repos["me/tunes"].revisions["main"]]
    assert "model.attributes.safetensors" not in files  # They would not fit the new weights.
    assert files["notes.txt"] == b"kept"
    assert codec.load("hf:me/tunes").step == 7


def test_a_private_repository(login: Hub, tiny_melody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    musicae.push(str(tiny_melody), "me/secret", private=True)
    assert codec.load("hf:me/secret").step == 7
    remote.forget()
    monkeypatch.delenv("HF_TOKEN")
    shutil.rmtree(remote.repository("hf:me/secret").folder)
    with pytest.raises(MusicaeError, match="or it is private"):
        codec.load("hf:me/secret")


def test_nobody_is_logged_in_or_may_not_write(hub: Hub, tiny_melody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MusicaeError, match=r"^nobody is logged in at the hub; run: hf auth login, or set HF_TOKEN"):
        musicae.push(str(tiny_melody), "me/tunes")
    assert not any("POST" in line for line in hub.asked)
    for token, name in (("hf_wrong", "me/tunes"), (TOKEN, "others/tunes")):
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(
            MusicaeError, match=rf"^the hub refuses access to hf:{name} \(40[13]\); log in with a token"
        ):
            musicae.push(str(tiny_melody), name)
    assert hub.repos == {}


def test_a_hub_that_is_away(login: Hub, tiny_melody: Path) -> None:
    login.status = 503
    with pytest.raises(MusicaeError, match=r"^cannot reach the hub at [^\n]*$"):
        musicae.push(str(tiny_melody), "me/tunes")


def test_a_stack_goes_with_what_it_lies_over(login: Hub, tmp_path: Path) -> None:
    tiny = {"name": "patch-vae", "latent": 8, "width": 16, "depth": 1, "heads": 2}
    below = tmp_path / "below.safetensors"
    codec.build(preset.parse({"adapter": {"name": "melody"}, "model": tiny}, "below")).save(below)
    sections = {"adapter": {"name": "melody", "bars": 8}, "lower": {"name": str(below)},
                "model": {"name": "stack", "latent": 8, "width": 16, "depth": 1, "heads": 2}}  # fmt: skip
    above = tmp_path / "stack.safetensors"
    codec.build(preset.resolve(preset.parse(sections, "stack"))).save(above)
    musicae.push(str(above), "me/stack")
    files = login.repos["me/stack"].commits[login.repos["me/stack"].revisions["main"]]
    assert str(tmp_path) not in files["preset.toml"].decode()
    assert 'name = "below"' in files["preset.toml"].decode()
    assert "the model over whose codes this one lies (`below.safetensors`)" in files["README.md"].decode()
    below.unlink()
    back = codec.load("hf:me/stack")
    assert back.path is not None
    assert checkpoint.digest(hubs.lower_of(back.path)) == back.preset.sections["lower"]["digest"]
    with pytest.raises(MusicaeError, match=r"^no checkpoint at .*below.safetensors"):
        musicae.push(str(above), "me/again")
    musicae.push(back, "me/again")  # It has what it lies over beside it.
    assert "model.lower.safetensors" in login.repos["me/again"].commits[login.repos["me/again"].revisions["main"]]


def test_a_model_that_makes_nothing_up_has_no_examples(
    tiny_denoise: Path, tiny_arrangement: Path, tmp_path: Path
) -> None:
    files = bundle(codec.load(str(tiny_denoise)), target("me/x"), tmp_path, CardOptions())
    assert [path.name for path in files] == ["README.md", "model.safetensors", "preset.toml"]


def test_a_model_that_restores_shows_an_example_before_and_after(
    tiny_denoise: Path, tiny_voice: Path, tiny_melody: Path, tmp_path: Path
) -> None:
    Image.new("L", (40, 30), 100).save(tmp_path / "a.png")
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.1, 0.1, (8000, 2)), 8000)
    for path, name in ((tiny_denoise, "a.png"), (tiny_voice, "a.wav")):
        (tmp_path / path.stem).mkdir()
        files = bundle(codec.load(str(path)), target("me/x"), tmp_path / path.stem, CardOptions(), tmp_path / name)
        names = [file.name for file in files]
        assert "example.png" in names
        assert ("example.wav" in names) == (name == "a.wav")
        assert "![Before and after](example.png)" in (tmp_path / path.stem / "README.md").read_text()
    with Image.open(tmp_path / "tiny-denoise" / "example.png") as picture:
        assert picture.size[0] > picture.size[1]  # Side by side.
    assert soundfile.info(tmp_path / "tiny-voice" / "example.wav").channels == 2
    with pytest.raises(MusicaeError, match=r"--example: 'tiny-melody' restores nothing; leave it out"):
        bundle(codec.load(str(tiny_melody)), target("me/x"), tmp_path, CardOptions(), tmp_path / "a.wav")


def test_attributes_of_other_weights_are_refused(tiny_melody: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    shutil.copyfile(tiny_melody, path)
    shutil.copyfile(SHIPPED / "melody-2bar.attributes.safetensors", hubs.attributes_of(path))
    (tmp_path / "out").mkdir()
    with pytest.raises(MusicaeError, match="was fitted to other weights"):
        bundle(codec.load(str(path)), target("me/x"), tmp_path / "out", CardOptions())


def test_a_training_that_is_not_done_and_a_codec_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match=r"has no model.safetensors; name the folder of a training that is done"):
        load_trained(str(tmp_path))
    made = codec.build(preset.load("melody-2bar"))
    with pytest.raises(MusicaeError, match="only a trained preset can be pushed; save it first"):
        bundle(made, target("me/x"), tmp_path, CardOptions())


@pytest.mark.parametrize("name", ["tunes", "me/tunes@1", "../x", "me/a/b"])
def test_other_forms_are_no_repository(name: str) -> None:
    with pytest.raises(MusicaeError, match=r"is no preset at the hub|leave out what follows the @"):
        target(name)
