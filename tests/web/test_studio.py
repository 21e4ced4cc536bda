"""What is at a point, by all that can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from musicae import interpolate
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.conditions import most_probable_label
from musicae.web.asked import Point
from musicae.web.studio import Studio


def given(studio: Studio, path: Path, preset: str, **options: Any) -> str:
    return studio.add(path.read_bytes(), path.name, preset, options)[0]


@pytest.fixture
def songs(studio: Studio, data: Path) -> list[str]:
    return [given(studio, data / name, "band-2bar", bars="1-4") for name in ("saints.mid", "korobeiniki.mid")]


def test_half_way_is_what_interpolate_makes(studio: Studio, data: Path, songs: list[str]) -> None:
    files = [data / "saints.mid", data / "korobeiniki.mid"]
    walk = interpolate(*files, preset="band-2bar", steps=3, even=False, bars="1-4")
    for x, part in zip((0.0, 0.5, 1.0), walk.parts, strict=True):
        found = studio.find(Point("band-2bar", songs, x=x))
        assert found.sample.tensor.shape == part.tensor.shape
        apart = found.pad.codec.likelihood.distance(found.sample.tensor[None], part.tensor[None])
        assert apart.item() < 0.02
    moved = [notice for notice in found.notices if "semitone" in notice]
    assert moved == [notice for notice in walk.notices if "semitone" in notice]


def test_chords_parts_attributes_and_how_it_is_played_apply(studio: Studio, songs: list[str]) -> None:
    first = studio.find(Point("band-2bar", songs, x=0.0))
    under = studio.find(Point("band-2bar", songs, x=0.5, chords="C | G | Am | F"))
    assert under.sample.cond is not None
    assert not under.plain or under.place.cond is not None
    locked = studio.find(Point("band-2bar", songs, x=0.9, lock=["melody"]))
    melody = locked.pad.codec.spec.parts["melody"]
    ends = studio.pad(Point("band-2bar", songs)).corners.samples
    assert torch.equal(locked.sample.tensor[melody], ends[0].tensor[melody])
    assert not first.changes
    assert not [notice for notice in under.notices if "bars" in notice]
    for exact in (False, True):
        fuller = studio.find(Point("band-2bar", songs, x=0.5, shift={"drums.density": 1.5}, exact=exact))
        (change,) = fuller.changes
        assert change.steps[-1] > change.was + 4
    played = studio.find(Point("band-2bar", songs, x=0.5, tempo=77, programs={"bass": 40}, transpose=2))
    assert played.sample.meta["tempos"] == [[0, pytest.approx(77, abs=0.01)]]
    assert played.sample.meta["parts"]["bass"]["programs"][0][1] == 40
    assert played.sample.tensor.shape == first.sample.tensor.shape
    drawn = [studio.find(Point("band-2bar", songs, temperature=1.0, seed=seed)).sample.tensor for seed in (1, 2)]
    assert not torch.equal(*drawn)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"lock": ["flute"]}, "no part 'flute'"),
        ({"programs": {"drums": 3, "flute": 1}}, "no part 'flute'"),
        ({"lock": ["drums"], "shift": {"drums.density": 1}}, "to change drums.density, unlock the drums"),
    ],
)
def test_what_cannot_be_is_one_line(studio: Studio, songs: list[str], more: Any, message: str) -> None:
    with pytest.raises(MusicaeError, match=message):
        studio.find(Point("band-2bar", songs, **more))


def test_a_class_is_found_for_a_digit_and_drawn_in_turn(studio: Studio, data: Path) -> None:
    corner, notices = studio.corner("mnist-cvae", given(studio, data / "seven.png", "mnist-cvae"))
    assert corner.label == 7
    assert notices == ["seven.png was taken for '7'"]
    assert studio.corner("mnist-cvae", "draw:13")[0].label == 3
    assert studio.find(Point("mnist-cvae", ["draw:3", "draw:4"])).sample.tensor.shape == (1, 28, 28)


def test_a_long_sound_is_cut(studio: Studio, tmp_path: Path) -> None:
    wave = np.sin(np.arange(48_000 * 10) * 0.05).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", wave, 48_000)
    key, name, preset, notices = studio.add((tmp_path / "long.wav").read_bytes(), "long.wav", "sound", {})
    assert (name, preset) == ("long.wav", "sound")
    assert notices == ["long.wav: the first 2.0 of 10.0 s are used"]
    found = studio.find(Point("sound", [key, "draw:1"], x=0.0))
    assert found.sample.tensor.shape[-1] / found.pad.codec.adapter.sample_rate <= 4


def test_a_point_is_computed_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Point("tiny-melody", ["draw:1", "draw:2"], x=0.123)
    first = studio.find(ask)
    monkeypatch.setattr(studio, "_at", None)
    assert studio.find(Point("tiny-melody", ["draw:1", "draw:2"], x=0.123, only=["x"])) is first


def test_a_loop_that_is_silent_at_its_ends_keeps_its_length_when_it_is_moved(studio: Studio) -> None:
    for seed in range(8):
        body = {"corners": [f"draw:{seed}", "draw:99"], "x": 0.4}
        plain = studio.find(Point("band-2bar", **body)).sample.tensor
        moved = studio.find(Point("band-2bar", **body, transpose=5)).sample.tensor
        assert plain.shape == moved.shape


@pytest.mark.parametrize(("bars", "steps", "notices"), [(2, 64, []), (6, 96, []), (8, 128, []), (9, 128, [9])])
def test_what_is_looped_is_as_long_as_its_chords_up_to_eight_bars(
    studio: Studio, songs: list[str], bars: int, steps: int, notices: list[int]
) -> None:
    """However long the corners are."""
    chords = " | ".join(["C", "G", "Am", "F"][i % 4] for i in range(bars))
    for corners in (songs, ["draw:1", songs[0]]):
        found = studio.find(Point("band-2bar", corners, x=0.5, chords=chords))
        assert found.sample.tensor.shape[-1] == steps
        said = [notice for notice in found.notices if "bars" in notice]
        assert said == [f"of {count} bars of chords the first 8 fit" for count in notices]
    alone = studio.find(Point("band-2bar", ["draw:1", "draw:2"], chords=chords))
    assert alone.sample.tensor.shape[-1] == max(32, 16 * min(8, 2 * -(-bars // 2)))


def test_as_many_bars_loop_as_the_notice_says(studio: Studio, data: Path) -> None:
    corner, notices = studio.corner("melody-2bar", given(studio, data / "twinkle.mid", "melody-2bar"))
    assert corner.sample.tensor.shape[-1] == 64
    assert notices == ["twinkle.mid: the first 4 of 8 bars loop; --bars chooses others"]
    corner, notices = studio.corner("melody-2bar", given(studio, data / "greensleeves.mid", "melody-2bar"))
    bars = corner.sample.tensor.shape[-1] // 12
    assert notices == [f"greensleeves.mid: the first {bars} of 9 bars loop; --bars chooses others"]


def test_a_class_is_that_of_all_corners_in_their_own_hand(studio: Studio, data: Path) -> None:
    corners = [given(studio, data / "three.png", "mnist-cvae"), "draw:8"]
    made = [studio.find(Point("mnist-cvae", corners, x=x, label="5")).sample.tensor for x in (0.0, 0.5, 1.0)]
    codec = studio.catalog.codec("mnist-cvae")
    assert [most_probable_label(codec, Sample(one, {})) for one in made] == [5, 5, 5]
    assert not torch.equal(made[0], made[2])
    own = studio.find(Point("mnist-cvae", corners, x=0.0)).sample.tensor
    assert most_probable_label(codec, Sample(own, {})) == 3
    walk = studio.pad(Point("mnist-cvae", corners, label="5")).corners
    assert [cond.argmax().item() for cond in walk.conds] == [5, 5]
    flow = [studio.find(Point("tiny-classes", ["draw:1", "draw:2"], label=label)).sample.tensor for label in ("", "7")]
    assert not torch.equal(*flow)
    with pytest.raises(MusicaeError, match="has no label '11'"):
        studio.find(Point("mnist-cvae", corners, label="11"))
    with pytest.raises(MusicaeError, match="takes no label"):
        studio.find(Point("tiny-digits", ["draw:1", "draw:2"], label="1"))
