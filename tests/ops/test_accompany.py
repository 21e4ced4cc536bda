"""Bands for tunes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from band_model import follower, roots

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.accompany import accompany
from musicae.ops.defaults import default_preset
from musicae.ops.parts import playing, sounding_alone
from musicae.tensors import band as bands


@pytest.fixture
def told() -> Codec:
    return follower()


@pytest.fixture(scope="module")
def band(tiny_arrangement: Path) -> Codec:
    return codecs.load(str(tiny_arrangement))


def rows(sample: Sample, part: str) -> torch.Tensor:
    return torch.cat([sample.tensor[channels] for channels in bands.groups_of(part)])


def test_the_tune_stays_and_the_others_are_made(band: Codec, data: Path) -> None:
    tune = band.adapter.read(data / "greensleeves.mid")
    made = accompany(data / "greensleeves.mid", 2, preset=band, seed=3)
    for one in made:
        assert torch.equal(rows(one, "melody"), rows(tune, "melody"))
        assert one.meta["meters"] == tune.meta["meters"]
        assert one.meta["parts"]["melody"] == tune.meta["parts"]["melody"]
        assert len(playing(band, one)) > 1
    assert not torch.equal(made[0].tensor, made[1].tensor)
    again = accompany(data / "greensleeves.mid", 2, preset=band, seed=3)
    assert all(torch.equal(one.tensor, other.tensor) for one, other in zip(made, again, strict=True))


def test_chords_are_found_or_given(told: Codec, data: Path) -> None:
    (found,) = accompany(data / "twinkle.mid", preset=told)
    assert roots(found.tensor) == [0, 9, 5, 7, 7, 0, 7, 0]
    notices: list[str] = []
    (given,) = accompany(data / "twinkle.mid", preset=told, chords="Am | F", notices=notices)
    assert roots(given.tensor) == [9, 5] * 4
    assert notices == ["--chords has 2 bars, twinkle.mid has 8; they are repeated"]


def test_a_style_plays_under_the_tune(told: Codec, data: Path) -> None:
    made = accompany(data / "twinkle.mid", 2, preset=told, chords="D", style=data / "saints.mid", seed=1)
    saints = told.adapter.read(data / "saints.mid")
    assert torch.equal(rows(made[0], "drums"), rows(saints, "drums")[:, :128])
    assert roots(made[0].tensor) == [2] * 8
    assert made[0].meta["parts"]["bass"] == saints.meta["parts"]["bass"]
    assert not torch.equal(rows(made[1], "drums"), rows(made[0], "drums"))


def test_a_style_begins_where_most_parts_play(told: Codec, data: Path) -> None:
    saints = told.adapter.read(data / "saints.mid")
    intro = saints.tensor.clone()
    intro[told.spec.parts["drums"], :64] = 0
    (made,) = accompany(data / "twinkle.mid", preset=told, style=replace(saints, tensor=intro))
    assert torch.equal(rows(made, "drums"), rows(saints, "drums")[:, 64:192])


def test_a_style_may_be_shorter_or_drums_alone(told: Codec, data: Path) -> None:
    beat = told.adapter.read(data / "rock.mid")
    (made,) = accompany(data / "twinkle.mid", preset=told, style=beat)
    assert torch.equal(rows(made, "drums"), rows(beat, "drums").repeat(1, 4))
    assert roots(made.tensor)[:4] == [0, 9, 5, 7]


def test_what_stays_can_be_chosen(told: Codec, data: Path) -> None:
    saints = told.adapter.read(data / "saints.mid")
    with pytest.raises(MusicaeError, match="the sample has all parts of a band already; name those that stay, such as"):
        accompany(saints, preset=told)
    (made,) = accompany(saints, preset=told, keep=["bass", "drums"], style=data / "korobeiniki.mid")
    for part in ("bass", "drums"):
        assert torch.equal(rows(made, part), rows(saints, part))
    assert not torch.equal(rows(made, "melody"), rows(saints, "melody"))


def test_tunes_that_cannot_be_accompanied(told: Codec, tiny: Codec, data: Path) -> None:
    with pytest.raises(MusicaeError, match="'tiny-melody' knows no parts of a band; use one that does"):
        accompany(data / "twinkle.mid", preset=tiny)
    tune = told.adapter.read(data / "twinkle.mid")
    with pytest.raises(MusicaeError, match=r"--keep drums: the sample has no drums; it has melody$"):
        accompany(tune, preset=told, keep=["drums"])
    silent = Sample(bands.silent()[:, None].expand(-1, 32), told.adapter.blank())
    with pytest.raises(MusicaeError, match="the sample has no notes; give a tune"):
        accompany(silent, preset=told)
    assert sounding_alone(told, [tune])[0] is tune


def test_a_preset_says_that_it_is_for_it() -> None:
    assert codecs.load(default_preset("accompany")).spec.parts
    assert musicae.accompany is accompany
