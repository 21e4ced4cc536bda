"""Where a preset's weights lie."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hub_server import Hub

from musicae import checkpoint, codec, preset
from musicae.cli import main
from musicae.errors import MusicaeError
from musicae.hub import find_weights, lower_of, lower_weights, recipe, weights


def test_weights_lie_beside_the_preset_or_where_a_path_says() -> None:
    assert weights("melody-2bar") == preset.find("melody-2bar").with_suffix(".safetensors")
    assert weights("some/where.safetensors") == Path("some/where.safetensors")


def test_the_old_name_of_a_preset_answers_with_the_new_one() -> None:
    assert weights("mnist-vq") == weights("mnist-fsq")
    assert preset.load("mnist-vq").name == "mnist-fsq"


def test_a_preset_without_weights_says_how_to_make_them() -> None:
    with pytest.raises(
        MusicaeError, match="the preset 'sound-low' has no trained weights yet; run: musicae train sound-low"
    ):
        weights("sound-low")
    with pytest.raises(MusicaeError, match="no preset named 'melody-2bars'; did you mean 'melody-2bar'"):
        weights("melody-2bars")


def test_a_checkpoint_named_without_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.safetensors").write_bytes(b"")
    with pytest.raises(MusicaeError, match=r"no preset is named 'mine'; for the file here, name mine\.safetensors"):
        weights("mine")
    for name in ("min", "m" * 5000, "\0"):
        with pytest.raises(MusicaeError, match="no preset named"):
            weights(name)


def files_of(weights: Path, **more: bytes) -> dict[str, bytes]:
    """Return what a repository holds that has a trained preset."""
    recipe = preset.Preset.from_dict(checkpoint.read_header(weights)["preset"])
    return {"preset.toml": preset.as_toml(recipe).encode(), "model.safetensors": weights.read_bytes(), **more}


def test_a_preset_of_the_hub_is_one_for_every_command(
    hub: Hub, tiny_melody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    hub.add("me/tunes", files_of(tiny_melody))
    monkeypatch.chdir(tmp_path)
    twinkle, ode = (str(repository / "data" / f"{name}.mid") for name in ("twinkle", "ode-to-joy"))
    run = CliRunner().invoke
    made = run(main, ["interpolate", twinkle, ode, "--preset", "hf:me/tunes", "-o", "morph.mid"])
    assert made.exit_code == 0, made.output
    assert (tmp_path / "morph.mid").is_file()
    shown = run(main, ["show", "hf:me/tunes", "--json"])
    assert json.loads(shown.output)["name"] == "tiny-melody"
    short = ["--set", "training.steps=1", "--set", "training.batch=4", "--data", f"midi-files={repository / 'data'}"]
    sets = ["--set", "dataset.name=midi-files", "--set", "training.prior_steps=0", "-o", "run", "--cpu"]
    trained = run(main, ["train", "hf:me/tunes", "--from", "hf:me/tunes", *short, *sets, "--processes", "1"])
    assert trained.exit_code == 0, trained.output
    assert (tmp_path / "run" / "model.safetensors").is_file()
    measured = run(main, ["evaluate", "hf:me/tunes"])
    assert "'tiny-melody' has no [evaluation] section" in measured.output
    said = run(main, ["vary", twinkle, "--preset", "hf:me/other"])
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert said.output.startswith("musicae: there is no hf:me/other at the hub")


def test_a_preset_of_the_hub_without_weights_is_one_to_train(hub: Hub, tiny_melody: Path) -> None:
    files = files_of(tiny_melody)
    del files["model.safetensors"]
    hub.add("me/tunes", files)
    assert find_weights("hf:me/tunes") is None
    assert recipe("hf:me/tunes", ["model.latent=9"]).sections["model"]["latent"] == 9
    with pytest.raises(MusicaeError, match="no trained weights yet; run: musicae train hf:me/tunes"):
        weights("hf:me/tunes")


TINY = {"name": "patch-vae", "latent": 8, "width": 16, "depth": 1, "heads": 2}


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """The checkpoint of an untrained stack over one that lies elsewhere."""
    below = tmp_path / "elsewhere" / "below.safetensors"
    codec.build(preset.parse({"adapter": {"name": "melody"}, "model": TINY}, "below")).save(below)
    sections = {"adapter": {"name": "melody", "bars": 8}, "lower": {"name": str(below)},
                "model": {"name": "stack", "latent": 8, "width": 16, "depth": 1, "heads": 2}}  # fmt: skip
    codec.build(preset.resolve(preset.parse(sections, "stack"))).save(tmp_path / "stack.safetensors")
    return tmp_path / "stack.safetensors"


def test_a_stack_of_the_hub_lies_over_what_came_with_it(hub: Hub, stack: Path) -> None:
    below = stack.parent / "elsewhere" / "below.safetensors"
    whole = {"model.lower.safetensors": below.read_bytes()}
    hub.add("me/whole", files_of(stack) | whole)
    hub.add("me/part", files_of(stack))
    below.unlink()
    made = codec.load("hf:me/whole")
    assert made.model.latent_size == 8
    assert made.path is not None
    found = recipe("hf:me/whole").sections["lower"]["name"]
    assert found == str(lower_of(made.path))
    assert codec.build(recipe("hf:me/whole")).spec == made.spec
    with pytest.raises(MusicaeError, match=r"^no checkpoint at .*below.safetensors; check the path"):
        codec.load("hf:me/part")


def test_a_file_never_makes_musicae_fetch_another(hub: Hub, tiny_melody: Path) -> None:
    hub.add("me/below", files_of(tiny_melody))
    with pytest.raises(
        MusicaeError, match=r"^this stack lies over hf:me/below, which is not in the cache; fetch it: musicae show"
    ):
        lower_weights("hf:me/below")
    assert not hub.asked
    here = weights("hf:me/below")
    assert lower_weights("hf:me/below") == here
