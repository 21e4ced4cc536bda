"""Parts of a band that stay, are left out, or are alone."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.parts import check_left_out, check_parts, keep, playing, sounding_alone
from musicae.tensors import band as bands


@pytest.fixture(scope="module")
def band(tiny_arrangement: Path) -> Codec:
    return codecs.load(str(tiny_arrangement))


@pytest.fixture
def saints(band: Codec, data: Path) -> Sample:
    return band.adapter.read(data / "saints.mid")


def rows(sample: Sample, part: str) -> torch.Tensor:
    return torch.cat([sample.tensor[channels] for channels in bands.groups_of(part)])


def read_again(codec: Codec, sample: Sample) -> Sample:
    stream = io.BytesIO()
    codec.adapter.write(sample, stream)
    stream.seek(0)
    return codec.adapter.read(stream)


def test_parts_are_known_by_name(band: Codec, tiny: Codec) -> None:
    assert check_parts(band, ["drums", "melody", "drums"], "--keep") == ["melody", "drums"]
    with pytest.raises(MusicaeError, match=r"--keep: there is no part 'melodi'; did you mean 'melody'\?"):
        check_parts(band, ["melodi"], "--keep")
    with pytest.raises(MusicaeError, match="--solo: what 'tiny-melody' makes has no parts; leave it out"):
        check_parts(tiny, ["melody"], "--solo")
    assert check_parts(tiny, [], "--solo") == []


def test_a_part_is_left_out_or_alone(band: Codec, saints: Sample) -> None:
    (rest,) = sounding_alone(band, [saints], drop=["drums"])
    assert playing(band, saints) == ["melody", "bass", "harmony", "drums"]
    assert playing(band, rest) == ["melody", "bass", "harmony"]
    assert torch.equal(rows(rest, "bass"), rows(saints, "bass"))
    (alone,) = sounding_alone(band, [saints], solo=["bass"])
    assert playing(band, read_again(band, alone)) == ["bass"]
    assert sounding_alone(band, [saints]) == [saints]


def test_nothing_that_is_left(band: Codec, saints: Sample) -> None:
    (bass,) = sounding_alone(band, [saints], solo=["bass"])
    with pytest.raises(MusicaeError, match=r"nothing of the result is left: it has no drums; it has bass$"):
        sounding_alone(band, [bass], solo=["drums"])
    assert len(sounding_alone(band, [bass, saints], solo=["drums"])) == 2
    with pytest.raises(MusicaeError, match="give one of them"):
        check_left_out(band, ["bass"], ["drums"])
    with pytest.raises(MusicaeError, match="--drop leaves no part"):
        check_left_out(band, list(bands.PARTS), [])


def test_only_a_part_that_plays_can_be_kept(band: Codec, saints: Sample) -> None:
    (tune,) = sounding_alone(band, [saints], solo=["melody"])
    with pytest.raises(MusicaeError, match=r"--keep bass: it has no bass; it has melody$"):
        keep(band, tune, ["bass"], "it")
    assert keep(band, tune, [], "it") is None


def test_what_is_made_fits_the_chords_of_what_is_kept(band: Codec, saints: Sample) -> None:
    tune, drums = keep(band, saints, ["melody"], "it"), keep(band, saints, ["drums"], "it")
    assert tune is not None
    assert drums is not None
    chords = tune.chords()
    assert chords is not None
    assert torch.equal(chords, band.adapter.chords(saints))
    assert drums.chords() is None


@pytest.mark.parametrize("parts", [["melody"], ["bass", "drums"], ["harmony"]])
def test_kept_parts_come_back_note_for_note(band: Codec, saints: Sample, data: Path, parts: list[str]) -> None:
    walk = musicae.interpolate(data / "saints.mid", data / "korobeiniki.mid", preset=band, steps=3, keep=parts)
    varied = musicae.vary(saints, 0.5, preset=band, keep=parts)
    for made in (*walk.parts, *varied):
        again = read_again(band, made)
        assert again.tensor.shape == saints.tensor.shape
        for part in parts:
            assert torch.equal(rows(again, part), rows(saints, part)), part
            assert again.meta["parts"][part] == saints.meta["parts"][part]
        assert again.meta["tempos"] == saints.meta["tempos"]
    others = [part for part in bands.PARTS if part not in parts]
    assert any(not torch.equal(rows(walk.parts[-1], part), rows(saints, part)) for part in others)


def test_the_others_play_the_instruments_of_the_other_song(band: Codec, data: Path) -> None:
    walk = musicae.interpolate(data / "saints.mid", data / "korobeiniki.mid", preset=band, steps=2, keep=["melody"])
    first, last = (part.meta["parts"] for part in walk.parts)
    assert first["melody"] == last["melody"]
    assert first["harmony"] != last["harmony"]


def test_the_file_whose_part_is_kept_gives_the_length(band: Codec, saints: Sample, data: Path) -> None:
    half = replace(saints, tensor=saints.tensor[:, :128])
    for one, notice in ((half, "it was cut"), (saints, "it was looped")):
        walk = musicae.interpolate(one, data / "korobeiniki.mid", preset=band, steps=2, keep=["melody"])
        assert walk.parts[0].tensor.shape == one.tensor.shape
        assert [notice in line for line in walk.notices] == [True]


def test_a_kept_part_and_exact_ends_exclude_each_other(band: Codec, data: Path) -> None:
    files = data / "saints.mid", data / "korobeiniki.mid"
    with pytest.raises(MusicaeError, match="--exact-endpoints"):
        musicae.interpolate(*files, preset=band, keep=["melody"], exact_endpoints=True)
