"""Draws from the prior."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mirror_model import SPEC

import musicae
from musicae import codec as codecs
from musicae import preset
from musicae.codec import Codec
from musicae.errors import MusicaeError


def test_sample_draws_by_its_seed(tiny: Codec) -> None:
    drawn = musicae.sample(tiny, 3, seed=4)
    assert [one.tensor.shape for one in drawn] == [SPEC.full_shape] * 3
    assert all(torch.equal(a.tensor, b.tensor) for a, b in zip(drawn, musicae.sample(tiny, 3, seed=4), strict=True))
    assert not torch.equal(drawn[0].tensor, drawn[1].tensor)
    assert not torch.equal(drawn[0].tensor, musicae.sample(tiny, 1, seed=5)[0].tensor)
    frozen = musicae.sample(tiny, 2, temperature=0)
    assert torch.equal(frozen[0].tensor, frozen[1].tensor)
    for n in (0, 1001):
        with pytest.raises(MusicaeError, match="the number of results must be between 1 and 1000"):
            musicae.sample(tiny, n)


def test_a_language_model_has_nothing_to_draw_a_code_from() -> None:
    tree = {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 8}}
    with pytest.raises(MusicaeError, match="the preset 'lm' has no codes to draw"):
        musicae.sample(codecs.build(preset.resolve(preset.parse(tree, "lm"))))


def test_a_label_chooses_what_is_sampled(tiny_classes: Path) -> None:
    codec = codecs.load(str(tiny_classes))
    seven, also, other = (musicae.sample(codec, 3, label=label, seed=2) for label in (7, "7", 8))
    each = musicae.sample(codec, 12, seed=2)
    assert all(torch.equal(a.tensor, b.tensor) for a, b in zip(seven, also, strict=True))
    assert not torch.equal(seven[0].tensor, other[0].tensor)
    cond = codec.label_conditions(torch.arange(12) % 10)
    wanted = codec.decode(codec.draw(12, 2, cond=cond), cond=cond)
    assert all(torch.equal(one.tensor, want) for one, want in zip(each, wanted, strict=True))


def test_a_label_and_a_condition_do_not_go_together(tiny_classes: Path) -> None:
    with pytest.raises(MusicaeError, match="a label and a condition are two answers to one question"):
        musicae.sample(str(tiny_classes), label=3, cond=torch.eye(10)[3])


def test_attributes_of_draws_are_changed_and_told() -> None:
    codec = codecs.load("drums-2bar")
    before, after = (musicae.sample(codec, 2, seed=3, shift=words) for words in ((), ["density=+1"]))
    denser = [(b.tensor.sum() - a.tensor.sum()).item() / 2 for a, b in zip(before, after, strict=True)]
    assert denser == pytest.approx([5.75, 5.75], abs=2.5)  # Hits a bar.
    assert [line.partition(" was")[0] for line in after[0].remarks] == ["result 1: density:", "result 2: density:"]
