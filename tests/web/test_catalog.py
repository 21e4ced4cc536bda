"""Which presets can be played with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from musicae import codec as codecs
from musicae import hub, preset
from musicae.errors import MusicaeError
from musicae.web.catalog import Catalog, facts, kind_of


def test_what_kind_a_preset_is_follows_from_its_parts(
    tiny_melody: Path, tiny_arrangement: Path, tiny_digits: Path, tiny_classes: Path, tiny_drum: Path, tiny_voice: Path,
    tiny_band: Path, tiny_denoise: Path, tiny_upscale: Path,
) -> None:  # fmt: skip
    kinds = {
        "notes": [tiny_melody, tiny_arrangement],
        "picture": [tiny_digits, tiny_classes],
        "sound": [tiny_drum],
        "recording": [tiny_voice, tiny_band],
        "photo": [tiny_denoise, tiny_upscale],
        "": [Path("melody-lm")],
    }
    for kind, paths in kinds.items():
        assert {kind_of(codecs.load(str(path))) for path in paths} == {kind}


def test_all_presets_with_codes_and_those_that_restore_are_there() -> None:
    catalog = Catalog.of_all()
    found = {one["name"]: one for one in catalog.facts()}
    for name in preset.listed():
        if hub.find_weights(name) is None:
            assert name not in found
            continue
        codec = catalog.codec(name)
        restores = codec.model.restores
        assert (name in found) == bool(codec.model.latent_size or restores)
        if name in found and codec.adapter.plays:
            assert found[name]["suffix"] == ".mid"
    shifted = [one for one in found.values() if one["attributes"]]
    assert shifted
    for one in shifted:
        assert all(trait["spread"] > 0 and trait["about"] for trait in one["attributes"])


def test_a_codec_is_loaded_once(tiny_melody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = codecs.load
    monkeypatch.setattr(codecs, "load", lambda name: loaded.append(name) or load(name))
    catalog = Catalog({"mine": str(tiny_melody)})
    with ThreadPoolExecutor(4) as threads:
        assert len(set(map(id, threads.map(catalog.codec, ["mine"] * 8)))) == 1
    assert loaded == [str(tiny_melody)]
    with pytest.raises(MusicaeError, match="no preset named 'other'"):
        catalog.codec("other")


def test_a_checkpoint_is_taken_in_by_its_path(tiny_melody: Path) -> None:
    catalog = Catalog({})
    assert catalog.add(str(tiny_melody)) == "tiny-melody"
    assert catalog.codec("tiny-melody").path == tiny_melody
    assert facts(catalog.codec("tiny-melody"))["parts"] == []
    with pytest.raises(MusicaeError, match="nothing to play with in 'melody-lm'"):
        catalog.add("melody-lm")
