"""How what is written is played."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.playing import Playing, how_played, played
from musicae.tensors.chord_symbols import condition, parse


@pytest.fixture(scope="module")
def band(tiny_arrangement: Path) -> Codec:
    return codecs.load(str(tiny_arrangement))


def read_again(codec: Codec, sample: Sample) -> Sample:
    stream = io.BytesIO()
    codec.adapter.write(sample, stream)
    stream.seek(0)
    return codec.adapter.read(stream)


def test_a_line_gets_another_tempo_and_instrument(tiny: Codec, data: Path) -> None:
    tune = tiny.adapter.read(data / "twinkle.mid")
    (made,) = played(tiny, [tune], how_played(tiny, 96.0, ["violin"]))
    again = read_again(tiny, made)
    assert again.meta["tempos"] == [[0, pytest.approx(96, abs=1e-3)]]
    assert again.meta["programs"] == [[0, 40]]
    assert torch.equal(again.tensor, tune.tensor)
    assert tune.meta["programs"] != [[0, 40]]


def test_the_parts_of_a_band_get_instruments_of_their_own(band: Codec, data: Path) -> None:
    song = band.adapter.read(data / "saints.mid")
    (made,) = played(band, [song], how_played(band, program=["bass=33", "flute"]))
    parts = {part: how["programs"] for part, how in read_again(band, made).meta["parts"].items()}
    assert parts["melody"] == parts["harmony"] == [[0, 73]]
    assert parts["bass"] == [[0, 32]]
    assert parts["drums"] == song.meta["parts"]["drums"]["programs"]


def test_all_but_drums_is_transposed_and_chords_with_it(band: Codec, tiny: Codec, data: Path) -> None:
    song = band.adapter.read(data / "saints.mid")
    chords = torch.from_numpy(condition(parse("C | Am"), song.tensor.shape[1], 16, 4))
    (made,) = played(band, [replace(song, cond=chords)], how_played(band, semitones=2))
    assert torch.equal(made.tensor, band.adapter.read(data / "saints.mid", transpose=2).tensor)
    assert torch.equal(made.cond, torch.from_numpy(condition(parse("D | Bm"), song.tensor.shape[1], 16, 4)))
    silent = Sample(tiny.blank_step().expand(-1, 32).clone(), tiny.adapter.blank())
    (made,) = played(tiny, [silent], Playing(semitones=5))
    assert made is not None
    assert torch.equal(made.tensor, silent.tensor)


def test_nothing_asked_changes_nothing(tiny: Codec, data: Path) -> None:
    tune = tiny.adapter.read(data / "twinkle.mid")
    assert played(tiny, [tune], how_played(tiny)) == [tune]


def test_what_cannot_be_played(tiny: Codec, band: Codec, digits: Codec, tiny_drums: Path) -> None:
    with pytest.raises(MusicaeError, match="--tempo must be 10 to 1000 beats a minute, not 0"):
        how_played(tiny, 0)
    with pytest.raises(MusicaeError, match="--tempo must be 10 to 1000 beats a minute, not nan"):
        how_played(tiny, float("nan"))
    with pytest.raises(MusicaeError, match="--transpose must be -24 to 24 semitones, not 25"):
        how_played(tiny, semitones=25)
    with pytest.raises(MusicaeError, match="--program: there is no part 'base'; did you mean 'bass'"):
        how_played(band, program=["base=33"])
    with pytest.raises(MusicaeError, match="--program: what 'tiny-melody' makes has no parts"):
        how_played(tiny, program=["bass=33"])
    with pytest.raises(MusicaeError, match="--program: drums have no instrument of their own"):
        how_played(band, program=["drums=1"])
    with pytest.raises(MusicaeError, match="--program: drums have no instrument of their own"):
        how_played(codecs.load(str(tiny_drums)), program=["flute"])
    with pytest.raises(MusicaeError, match="--tempo is for music; what 'tiny-digits' makes has none, leave it out"):
        how_played(digits, 90)
