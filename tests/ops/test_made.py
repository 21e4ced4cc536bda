"""Samples that know their codec."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import torch

from musicae import codec
from musicae.core import Sample
from musicae.ops.made import Made, Samples


def test_samples_are_a_list_and_each_is_a_sample(tiny_melody: Path) -> None:
    made = codec.load(str(tiny_melody))
    samples = Samples(made, [Sample(torch.zeros(1), {"tempo": 90}), Sample(torch.ones(1))])
    assert isinstance(samples, list)
    assert samples[0].meta == {"tempo": 90}
    assert all(isinstance(one, Made) and one.codec is made for one in samples)
    again = Samples(made, samples)
    assert again[1].tensor is samples[1].tensor
    changed = replace(samples[0], tensor=torch.ones(2))
    assert isinstance(changed, Made)
    assert changed.codec is made
    assert "codec" not in repr(samples[0])


def test_they_can_be_copied(tiny_melody: Path) -> None:
    samples = Samples(codec.load(str(tiny_melody)), [Sample(torch.zeros(1))])
    for other in (copy.copy(samples), pickle.loads(pickle.dumps(samples))):
        assert type(other) is Samples
        assert torch.equal(other[0].tensor, samples[0].tensor)
        assert other.codec.preset.name == "tiny-melody"


def test_a_sample_without_a_codec_shows_its_text() -> None:
    assert Made(torch.zeros(1))._repr_html_() is None
