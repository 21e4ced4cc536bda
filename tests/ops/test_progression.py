"""Progressions as what models are told, in all verbs that take one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from band_model import follower, roots

import musicae
from musicae.codec import Codec, load
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.progression import bars_of, blank_under, counted, meter_of, progression, whole_bars
from musicae.tensors import band as bands


@pytest.fixture
def told() -> Codec:
    return follower()


@pytest.fixture
def saints(told: Codec, data: Path) -> Sample:
    return told.adapter.read(data / "saints.mid")


def blank(codec: Codec, bars: int, meters: list[list[int]]) -> Sample:
    step = bands.silent()[:, None]
    return Sample(step.expand(-1, 16 * bars), {**codec.adapter.blank(), "meters": meters})


def test_a_progression_is_repeated_bar_by_bar(told: Codec) -> None:
    found, notices = progression(told, "C | G7 Am", blank(told, 5, [[0, 4, 4]]), "it")
    assert found.shape == (24, 80)
    assert found[:12, ::8].argmax(0).tolist() == [0, 0, 7, 9, 0, 0, 7, 9, 0, 0]
    assert notices == ["--chords has 2 bars, it has 5; they are repeated"]
    assert progression(told, "C | G | C", blank(told, 3, [[0, 4, 4]]), "it")[1] == []


def test_bars_are_those_of_the_music(told: Codec) -> None:
    found, _ = progression(told, "C | D | E | F", blank(told, 3, [[0, 3, 4], [24, 6, 8]]), "it")
    assert found[:12].argmax(0).tolist() == [0] * 12 + [2] * 12 + [4] * 12 + [5] * 12


def test_progressions_that_cannot_be_told(told: Codec, tiny: Codec, data: Path) -> None:
    with pytest.raises(MusicaeError, match="--chords has 3 bars, it has 2; leave out"):
        progression(told, "C | G | C", blank(told, 2, [[0, 4, 4]]), "it")
    with pytest.raises(MusicaeError, match=r"there is no chord 'Cmajj7'; did you mean 'Cmaj7'\?"):
        progression(told, "Cmajj7", blank(told, 2, [[0, 4, 4]]), "it")
    with pytest.raises(MusicaeError, match=r"'tiny-melody' takes no chords; use one for bands \(--only band\)"):
        musicae.vary(data / "twinkle.mid", preset=tiny, chords="C")


def test_pictures_are_told_no_chords(digits: Codec, data: Path) -> None:
    with pytest.raises(MusicaeError, match="--chords: what 'tiny-digits' makes has no notes; leave it out"):
        musicae.vary(data / "three.png", preset=digits, chords="C")


def test_a_draw_is_as_long_as_its_chords(told: Codec) -> None:
    assert blank_under(told, "C | G | Am").tensor.shape[1] == 64
    made = musicae.sample(told, 2, seed=1, chords="C | G | Am | F#")
    assert [roots(one.tensor) for one in made] == [[0, 7, 9, 6]] * 2
    melody = bands.groups_of("melody")[0]
    assert torch.equal(made[0].tensor[melody, :32], made[0].tensor[melody, 32:])  # It is one code.
    assert not torch.equal(made[0].tensor[melody], made[1].tensor[melody])
    (odd,) = musicae.sample(told, chords="C | G | Am")
    assert odd.remarks == ["--chords has 3 bars, the result has 4; they are repeated"]
    with pytest.raises(MusicaeError, match="give one of them"):
        musicae.sample(told, chords="C", cond=torch.zeros(24, 32))


def test_a_song_is_played_over_other_chords(told: Codec, saints: Sample) -> None:
    notices: list[str] = []
    (made,) = musicae.vary(saints, preset=told, chords="Am | F", notices=notices)
    assert roots(made.tensor) == [9, 5] * 8 + [9]
    for part in ("melody", "harmony", "drums"):
        assert torch.equal(made.tensor[bands.groups_of(part)[0]], saints.tensor[bands.groups_of(part)[0]])
    assert notices == ["--chords has 2 bars, the sample has 17; they are repeated"]
    assert made.cond is not None


def test_a_walk_keeps_the_chords_that_are_given(told: Codec, saints: Sample, data: Path) -> None:
    walk = musicae.interpolate(saints, data / "korobeiniki.mid", preset=told, steps=3, chords="C | G")
    assert [roots(part.tensor) for part in walk.parts] == [[0, 7] * 8 + [0]] * 3
    free = musicae.interpolate(saints, data / "korobeiniki.mid", preset=told, steps=3)
    assert roots(free.parts[0].tensor) == roots(saints.tensor)


def test_what_is_made_to_fit_a_kept_part_has_its_chords(told: Codec, saints: Sample, data: Path) -> None:
    walk = musicae.interpolate(saints, data / "korobeiniki.mid", preset=told, steps=2, keep=["melody"])
    wanted = told.adapter.chords(saints)
    assert wanted is not None
    for part in walk.parts:
        assert roots(part.tensor)[1:] == wanted[:12, 16::16].argmax(0).tolist()
    given = replace(saints, cond=told.adapter.chords(saints).roll(1, 0))  # type: ignore[union-attr]
    (over,) = musicae.vary(given, 1.0, preset=told, keep=["melody"], chords="D")
    assert roots(over.tensor) == [2] * 17


def test_for_a_loop_it_is_cut(told: Codec) -> None:
    found, notices = progression(told, "C | G | Am | F", blank(told, 3, [[0, 4, 4]]), "it", cut=True)
    assert found[:12, ::16].argmax(0).tolist() == [0, 7, 9]
    assert notices == ["of 4 bars of chords the first 3 fit"]
    assert progression(told, "C", blank(told, 3, [[0, 4, 4]]), "it", cut=True)[1] == []


def test_bars_are_counted(told: Codec, tiny_digits: Path) -> None:
    assert bars_of(told, blank(told, 3, [[0, 4, 4], [16, 3, 4]])) == [16, 12, 12, 12]
    digits = load(str(tiny_digits))
    assert bars_of(digits, Sample(torch.zeros(1, 28, 28), {})) == []
    assert [whole_bars([16, 12], length) for length in (16, 28, 40, 52, 20, 30, 0)] == [1, 2, 3, 4, None, None, None]
    assert whole_bars([], 16) is None


def test_lengths_are_counted_in_bars_or_beats(told: Codec, tiny_digits: Path, tiny_voice: Path) -> None:
    waltz, mixed = blank(told, 3, [[0, 3, 4]]), blank(told, 3, [[0, 4, 4], [16, 3, 4]])
    assert counted(told, waltz, 12, 48) == (["1", "4"], "bars")
    assert counted(told, waltz, 12, 30) == (["3", "7.5"], "beats")
    assert [meter_of(told, one) for one in (waltz, mixed)] == ["3/4", ""]
    digits, voice = load(str(tiny_digits)), load(str(tiny_voice))
    assert counted(digits, Sample(torch.zeros(1, 28, 28), {}), 28) == (["28"], "steps")
    assert meter_of(digits, Sample(torch.zeros(1, 28, 28), {})) == ""
    rate = round(voice.adapter.steps_per_second)
    assert counted(voice, Sample(torch.zeros(1, rate), {}), rate, 3 * rate) == (["1.0", "3.0"], "s")
