"""Attributes of files are changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from fitted import fitted_copy
from mirror_model import line, written

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.attributes import load, measure
from musicae.ops.shift import held, shift_samples, wishes

PRESETS = Path(__file__).resolve().parents[2] / "presets"


@pytest.fixture(scope="module")
def melody() -> Codec:
    return codecs.load("melody-2bar")


@pytest.fixture(scope="module")
def tune(melody: Codec) -> Sample:
    return melody.adapter.read(Path(__file__).resolve().parents[2] / "data" / "twinkle.mid", bars="1-4")


FITTED = sorted(path.name.removesuffix(".attributes.safetensors") for path in PRESETS.glob("*.attributes.safetensors"))


def density(codec: Codec, sample: Sample) -> float:
    return measure(codec, ["density"], codec.split(sample)).mean().item()


def test_a_tune_gets_denser_step_by_step(melody: Codec, tune: Sample) -> None:
    made = musicae.shift(tune, "density=+1", preset=melody, steps=3)
    (change,) = made.changes
    first, middle, last = (density(melody, part) for part in made.parts)
    assert change.steps == pytest.approx([first, middle, last], abs=1e-3)
    assert change.was == pytest.approx(density(melody, tune), abs=1e-3)
    assert change.was < middle < last
    assert last - change.was == pytest.approx(change.spread, rel=0.3)
    assert made.parts[-1].tensor.shape == tune.tensor.shape
    assert made.parts[-1].meta == tune.meta
    assert len(made.others) == len(load(melody).traits) - 1
    assert change.line().startswith("density: was 3.5, is ")
    again = musicae.shift(tune, "density=+1", preset=melody, steps=3)
    assert torch.equal(again.parts[-1].tensor, made.parts[-1].tensor)


@pytest.mark.parametrize("name", FITTED)
def test_the_attributes_of_every_preset_move(name: str) -> None:
    codec = musicae.load(name)
    sample = musicae.sample(codec, 1, seed=1)[0]
    made = musicae.shift(sample, f"{load(codec).traits[0].name}=+1", preset=codec)
    assert made.changes[0].steps[-1] > made.changes[0].was + 0.3 * made.changes[0].spread


def test_a_number_without_a_sign_is_in_the_unit(melody: Codec, tune: Sample) -> None:
    made = musicae.shift(tune, "pitch=69", preset=melody)
    assert made.changes[0].steps[-1] == pytest.approx(69, abs=1.2)
    assert made.notices == []


def test_out_of_reach_it_goes_as_far_as_it_can_and_says_so(melody: Codec, tune: Sample) -> None:
    made = musicae.shift(tune, "density=60", preset=melody)
    (notice,) = made.notices
    assert notice.startswith("density: 60 notes a bar is out of reach; it went from 3.5 as far as ")
    assert made.changes[0].steps[-1] > 6


def test_words_are_understood_or_refused(tiny_melody: Path, tmp_path: Path) -> None:
    fitted = load(fitted_copy(tiny_melody, tmp_path))
    up, down, to = wishes(fitted, ["Density=+1", "pitch = -.5", "range=8"])
    assert (up.by, up.to, down.by, to.by, to.to) == (1.0, None, -0.5, None, 8.0)
    for words in (["density"], ["density="], ["density=nan"], ["density=1e3"], ["density=+-1"], ["density=+1=2"]):
        with pytest.raises(MusicaeError, match="is not understood; write density=\\+1"):
            wishes(fitted, words)
    with pytest.raises(MusicaeError, match="'density' is named twice"):
        wishes(fitted, ["density=+1", "density=3"])
    with pytest.raises(MusicaeError, match="did you mean 'density'"):
        wishes(fitted, ["densities=+1"])
    with pytest.raises(MusicaeError, match="nothing is to change; say what, such as density=\\+1"):
        wishes(fitted, [])


def test_an_attribute_without_a_meaning_for_the_file_is_refused(melody: Codec, tmp_path: Path) -> None:
    one = written(tmp_path / "one.mid", line(41, *[1] * 31))
    with pytest.raises(MusicaeError, match="has no interval: what that is measured of is missing"):
        musicae.shift(one, "interval=+1", preset=melody)


def test_samples_are_changed_by_as_much_as_another(melody: Codec, tune: Sample) -> None:
    (made,), lines = shift_samples(melody, [tune], ["density=+0.5"], like=tune)
    spread = load(melody).traits[0].spread
    assert density(melody, made) - density(melody, tune) == pytest.approx(0.5 * spread, abs=0.3 * spread)
    assert lines[0].startswith("result 1: density: was 3.5, is ")


def test_what_is_held_is_that_of_another(melody: Codec, tune: Sample) -> None:
    other = Sample(line(*[45, 1, 47, 1, 48, 1, 50, 1] * 8), tune.meta, tune.hop)
    (same,) = held(melody, [other], ["density"], like=tune)
    assert density(melody, other) == 8.0
    assert density(melody, same) < 5.5
