"""Default presets by the job."""

from __future__ import annotations

from typing import Any

import pytest

from musicae import preset
from musicae.errors import MusicaeError
from musicae.ops import defaults
from musicae.preset import Preset


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    defaults.defaults.cache_clear()
    yield
    defaults.defaults.cache_clear()


def test_our_own_defaults_come_before_those_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: Preset(name, {}, default_for=("sample",)) for name in ("a-plugins", "ours")}
    monkeypatch.setattr(preset, "listed", lambda: {"a-plugins": "a-package", "broken": "another", "ours": "musicae"})

    def load(name: str) -> Preset:
        if name == "broken":
            raise MusicaeError("it is broken")
        return made[name]

    monkeypatch.setattr(preset, "load", load)
    assert defaults.default_preset("sample") == "ours"
    assert [recipe.name for recipe in defaults.defaults("sample")] == ["ours", "a-plugins"]
    with pytest.raises(MusicaeError, match="no preset is a default for 'code'; choose one with --preset"):
        defaults.default_preset("code")


def test_the_nearest_rate_is_that_in_octaves() -> None:
    assert defaults.nearest_in_rate("denoise", 26_000) == "denoise-speech"  # .70 and .76 octaves away.
    assert defaults.nearest_in_rate("denoise", 27_000) == "denoise"
    with pytest.raises(MusicaeError, match="no preset is a default for 'sample' on sound"):
        defaults.nearest_in_rate("sample", 8000)


def test_a_preset_says_by_what_it_enlarges() -> None:
    assert defaults.factor(preset.load("photo-upscale-x4")) == 4
    assert defaults.factor(preset.load("upscale-audio")) == 2
    assert defaults.factor(preset.load("photo-denoise")) == 1
    assert defaults.factor(preset.load("melody-2bar")) == 1
    assert defaults.adapter_name(preset.load("melody-2bar")) == "melody"
    assert defaults.adapter_settings(preset.load("denoise"))["sample_rate"] == 44_100


def test_files_that_there_is_a_default_for() -> None:
    assert {".mid", ".abc", ".png", ".wav"} <= defaults.readable_suffixes("code")
    assert not {".mid", ".abc"} & defaults.readable_suffixes("denoise")
