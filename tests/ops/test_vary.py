"""Variations of a file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.ops.attributes import Fitted, Trait, measure, save
from musicae.tensors.likelihoods.categorical import Categorical


class Silent(Categorical):
    """Makes rests of everything."""

    def mode(self, params: Tensor) -> Tensor:
        return super().mode(torch.zeros_like(params))


def test_vary_goes_from_the_file_to_a_draw(tiny: Codec, data: Path) -> None:
    file = data / "twinkle.mid"
    kept = musicae.vary(file, 1.0, 2, preset=tiny)
    same = musicae.reconstruct(file, preset=tiny).sample.tensor
    assert [torch.equal(one.tensor, same) for one in kept] == [True, True]
    other = musicae.vary(file, 0.0, 2, preset=tiny, seed=3)
    drawn = [one.tensor for one in musicae.sample(tiny, 2, seed=3)]
    # Each of the 4 windows has gone all the way to the one draw of its variation.
    assert [torch.equal(one.tensor, draw.repeat(1, 4)) for one, draw in zip(other, drawn, strict=True)] == [True, True]
    between = musicae.vary(file, 0.6, 2, preset=tiny, seed=3)
    assert between[0].meta == tiny.adapter.read(file).meta


@pytest.mark.parametrize("similarity", [float("nan"), -0.1, 1.1])
def test_vary_refuses_a_similarity_that_is_none(tiny: Codec, data: Path, similarity: float) -> None:
    with pytest.raises(MusicaeError, match="similarity must be between 0 and 1"):
        musicae.vary(data / "twinkle.mid", similarity, preset=tiny)


@pytest.mark.parametrize(("name", "bars"), [("twinkle.mid", "1-4"), ("greensleeves.mid", "3-4"), ("rock.mid", None)])
@pytest.mark.parametrize("similarity", [0.5, 0.9])
def test_the_share_that_is_asked_for_stays(data: Path, name: str, bars: str | None, similarity: float) -> None:
    codec = codecs.load("drums-2bar" if name == "rock.mid" else "melody-2bar")
    file = codec.adapter.read(data / name, bars=bars)
    made = musicae.vary(file, similarity, 2, preset=codec, seed=1)
    shares = [(one.tensor == file.tensor).all(0).float().mean().item() for one in made]
    assert shares == pytest.approx([similarity] * 2, abs=0.05)
    assert [line.partition(":")[0] for line in made[0].remarks] == ["variation 1", "variation 2"]


def test_no_two_variations_sound_alike_and_none_like_the_file(data: Path) -> None:
    codec = codecs.load("melody-2bar")
    file = codec.adapter.read(data / "twinkle.mid", bars="1-2")
    made = musicae.vary(file, 0.97, 4, preset=codec)
    every = [file, musicae.reconstruct(file, preset=codec).sample, *made]
    heard = {tuple(codec.adapter.rolls(one)[0].notes) for one in every}
    again = musicae.vary(file, 0.97, 4, preset=codec)
    assert [torch.equal(a.tensor, b.tensor) for a, b in zip(made, again, strict=True)] == [True] * 4
    assert len(heard) == 5  # The preset reconstructs these bars exactly.


def test_what_cannot_be_told_apart_is_given_all_the_same(tiny: Codec, data: Path) -> None:
    flat = replace(tiny, likelihood=Silent())
    made = musicae.vary(data / "twinkle.mid", 0.5, 2, preset=flat)
    assert torch.equal(made[0].tensor, made[1].tensor)


def test_pictures_go_as_far_as_is_asked_for(data: Path) -> None:
    codec = codecs.load("mnist-vae")
    start, close, far, other = (
        musicae.vary(data / "seven.png", similarity, preset=codec)[0].tensor[None]
        for similarity in (1.0, 0.9, 0.4, 0.0)
    )
    likeness = [codec.likelihood.likeness(start, one, other).item() for one in (start, close, far, other)]
    assert likeness == pytest.approx([1, 0.9, 0.4, 0], abs=0.03)


def test_attributes_of_variations_are_those_that_are_asked_for(data: Path) -> None:
    codec = codecs.load("melody-2bar")
    file = codec.adapter.read(data / "twinkle.mid", bars="1-2")
    notices: list[str] = []
    made = musicae.vary(file, 0.8, 2, preset=codec, shift=["density=6"], notices=notices)
    found = [measure(codec, ["density"], codec.split(one)).item() for one in made]
    assert found == pytest.approx([6, 6], abs=1)
    assert [line.partition(":")[0] for line in notices] == ["result 1", "result 2"]


def test_a_part_that_is_kept_is_not_changed(data: Path, tiny_arrangement: Path, tmp_path: Path) -> None:
    codec = codecs.load(str(shutil.copy(tiny_arrangement, tmp_path / "band.safetensors")))
    trait = Trait("melody.density", "notes a bar", 4.0, 2.0, 0.0, 9.0)
    save(codec, Fitted((trait,), torch.zeros(1, 8), torch.zeros(2, 8)))
    with pytest.raises(MusicaeError, match="--keep melody leaves the melody as it is, and melody"):
        musicae.vary(data / "saints.mid", preset=codec, bars="1-2", keep=["melody"], shift=["melody.density=+1"])
