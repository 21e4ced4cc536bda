"""Attributes that are fitted to a codec: directions, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from fitted import fitted_copy, melodies
from mirror_model import exact
from safetensors import safe_open
from safetensors.torch import save_file

from musicae import codec as codecs
from musicae import hub
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.ops import attributes
from musicae.ops.attributes import find, fit, load, measure

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "presets").glob("*.attributes.safetensors"))


def test_a_direction_changes_its_attribute_and_no_other() -> None:
    rng = torch.Generator().manual_seed(0)
    spread = torch.tensor([3.0, 1.0, 1.0, 0.1, 0.0], dtype=torch.float64)
    z = torch.randn(4000, 5, generator=rng, dtype=torch.float64) * spread
    a = torch.stack([z[:, 0] / 3, (z[:, 0] / 3 + z[:, 1]) / 2**0.5], dim=1)
    a[:100, 1] = torch.nan
    directions, axes, shares = attributes._directions(z, a)
    assert shares.tolist() == pytest.approx([1, 1], abs=0.1)
    change = directions @ torch.tensor([[1 / 3, 1 / 18**0.5], [0, 0.5**0.5], [0, 0], [0, 0], [0, 0]]).double()
    assert change.flatten().tolist() == pytest.approx([1, 0, 0, 1], abs=0.3)  # Of what is sure, nearly all is asked.
    assert directions[:, 2:].abs().max() < 0.1  # What tells nothing of them is left alone.
    assert axes.norm(dim=1).tolist() == pytest.approx([3, 1, 1, 0.1, 0], abs=0.06)


def test_values_are_in_standard_deviations_and_attributes_in_their_units(tiny_melody: Path, tmp_path: Path) -> None:
    codec = fitted_copy(tiny_melody, tmp_path)
    fitted, x = load(codec), melodies().batch(torch.arange(60))
    assert fitted.values(codec, x).nanmean(0).abs().max() < 1e-3
    assert measure(codec, ["density"], x)[:, 0].mean().item() == pytest.approx(fitted.traits[0].mean, rel=1e-4)
    low, high = fitted.bounds()
    assert (low < 0).all()
    assert (high > 0).all()


def test_without_notes_or_attributes_there_is_nothing_to_fit(digits: codecs.Codec) -> None:
    silent = Windows(torch.zeros(40, 32, dtype=torch.uint8), torch.arange(40), 90)
    assert fit(exact(), silent) is None
    assert fit(digits, Windows(torch.zeros(4, 1, 28, 28), torch.arange(4), 1)) is None  # Not known to be digits.


def test_a_file_is_read_as_it_was_written(tiny_melody: Path, tmp_path: Path) -> None:
    codec = fitted_copy(tiny_melody, tmp_path)
    fitted = load(codec)
    again = fit(codec, melodies())
    assert again is not None
    assert fitted.traits == again.traits
    assert torch.allclose(fitted.directions, again.directions, atol=2e-2)
    assert attributes.has(codec)


def test_an_unknown_attribute_gets_a_suggestion_and_the_list(tiny_melody: Path, tmp_path: Path) -> None:
    fitted = load(fitted_copy(tiny_melody, tmp_path))
    with pytest.raises(MusicaeError, match="no attribute 'densty'; did you mean 'density'\\? There are density, pitch"):
        find(fitted, "densty")
    with pytest.raises(MusicaeError, match="no attribute 'zzz'; choose from density, interval"):
        find(fitted, "zzz")


def test_what_is_missing_or_of_other_weights_says_what_to_do(tiny_melody: Path, tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match="not fitted yet; run: musicae attributes tiny-melody --fit"):
        load(codecs.load(str(tiny_melody)))
    with pytest.raises(MusicaeError, match="has no attributes; choose another preset"):
        load(codecs.load("sound"))
    codec = fitted_copy(tiny_melody, tmp_path)
    assert codec.path is not None
    codec.step += 1
    codec.save(codec.path)
    with pytest.raises(MusicaeError, match="was fitted to other weights"):
        load(codecs.load(str(codec.path)))


@pytest.mark.parametrize("change", ["mean", "spread", "names", "size", "rows", "nan", "whole", "unknown"])
def test_a_damaged_file_is_refused_in_one_line(tiny_melody: Path, tmp_path: Path, change: str) -> None:
    codec = fitted_copy(tiny_melody, tmp_path)
    assert codec.path is not None
    path = hub.attributes_of(codec.path)
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["musicae"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    if change == "mean":
        header["attributes"][0]["mean"] = "three"
    elif change == "spread":
        header["attributes"][0]["spread"] = 0.0
    elif change == "names":
        header["attributes"] = {}
    elif change == "unknown":
        header["attributes"][0]["name"] = "jazziness"
    elif change == "size":
        tensors["directions"] = tensors["directions"][:, :-1].contiguous()
    elif change == "rows":
        tensors["axes"] = tensors["axes"].repeat(100, 1)
    elif change == "nan":
        tensors["directions"][0, 0] = torch.nan
    save_file(tensors, path, {"musicae": json.dumps(header)})
    if change == "whole":
        path.write_bytes(path.read_bytes()[:-40])
    expected = {"unknown": "no package provides", "whole": "not a complete safetensors file"}.get(change, "is damaged")
    with pytest.raises(MusicaeError, match=expected) as found:
        load(codec)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_attributes_are_those_of_the_weights_beside_them(path: Path) -> None:
    codec = codecs.load(path.name.removesuffix(".attributes.safetensors"))
    fitted = load(codec)
    assert set(fitted.names) <= set(codec.adapter.attributes)
    assert all({"rises", "change", "stays"} <= set(trait.measured) for trait in fitted.traits)
    assert path.stat().st_size < 300_000
