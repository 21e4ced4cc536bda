"""Variations of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import musicae
from musicae.codec import Codec
from musicae.errors import MusicaeError


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
    assert not torch.equal(between[0].tensor, between[1].tensor)
    assert between[0].meta == tiny.adapter.read(file).meta


@pytest.mark.parametrize("similarity", [float("nan"), -0.1, 1.1])
def test_vary_refuses_a_similarity_that_is_none(tiny: Codec, data: Path, similarity: float) -> None:
    with pytest.raises(MusicaeError, match="similarity must be between 0 and 1"):
        musicae.vary(data / "twinkle.mid", similarity, preset=tiny)
