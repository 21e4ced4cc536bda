"""Where a preset's weights lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicae import hub, preset
from musicae.errors import MusicaeError


def test_weights_lie_beside_the_preset_or_where_a_path_says() -> None:
    assert hub.weights("melody-2bar") == preset.find("melody-2bar").with_suffix(".safetensors")
    assert hub.weights("some/where.safetensors") == Path("some/where.safetensors")


def test_the_old_name_of_a_preset_answers_with_the_new_one() -> None:
    assert hub.weights("mnist-vq") == hub.weights("mnist-fsq")
    assert preset.load("mnist-vq").name == "mnist-fsq"


def test_a_preset_without_weights_says_how_to_make_them() -> None:
    with pytest.raises(
        MusicaeError, match="the preset 'sound-low' has no trained weights yet; run: musicae train sound-low"
    ):
        hub.weights("sound-low")
    with pytest.raises(MusicaeError, match="no preset named 'melody-2bars'; did you mean 'melody-2bar'"):
        hub.weights("melody-2bars")


def test_a_checkpoint_named_without_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.safetensors").write_bytes(b"")
    with pytest.raises(MusicaeError, match=r"no preset is named 'mine'; for the file here, name mine\.safetensors"):
        hub.weights("mine")
    for name in ("min", "m" * 5000, "\0"):
        with pytest.raises(MusicaeError, match="no preset named"):
            hub.weights(name)
