"""The pictures show the notes that are there, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from musicae import plots
from musicae.core import Roll
from musicae.errors import MusicaeError

LANES = tuple(f"lane {i}" for i in range(9))


def tune(pitch: int, length: int, count: int) -> Roll:
    """Return `count` notes of one pitch, each `length` steps long."""
    return Roll([(i * length, length, pitch) for i in range(count)], length * count, 4)


def painted(path: Path, colour: tuple[float, float, float]) -> int:
    """Return how many pixels of a picture have a colour."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    return int((np.abs(pixels - np.round(np.array(colour) * 255)).max(-1) <= 1).sum())


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_bar_lines_follow_the_meter() -> None:
    assert plots.bar_lines(32, [(0, 4, 4)]) == ([0, 16], [4, 8, 12, 20, 24, 28])
    assert plots.bar_lines(24, [(0, 3, 4), (12, 6, 8)]) == ([0, 12], [4, 8, 14, 16, 18, 20, 22])
    assert plots.bar_lines(8, [(0, 2, 4), (32, 3, 4)])[0] == [0]
    assert plots.bar_lines(12, [(0, 4, 4)], steps_per_beat=2) == ([0, 8], [2, 4, 6, 10])


def test_a_picture_shows_onsets_dark_in_the_colours_of_its_ends(tmp_path: Path) -> None:
    first, other, silent = tune(60, 4, 8), tune(64, 2, 16), Roll([], 32, 4)
    plots.rolls([first, other], tmp_path / "two.png")
    plots.rolls([silent, other], tmp_path / "one.png")
    assert painted(tmp_path / "two.png", plots.FIRST_COLOUR) > 8 * 20
    assert painted(tmp_path / "one.png", plots.FIRST_COLOUR) == 0
    onsets = [painted(tmp_path / name, plots.LAST_COLOUR) for name in ("two.png", "one.png")]
    assert min(onsets) > 16 * 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_lanes_have_a_row_for_each_label(tmp_path: Path) -> None:
    sizes, hits = [], []
    for lane in (1, 2):
        hits += [(step, 1, lane) for step in range(0, 32, 4)]
        plots.rolls([Roll(hits, 32, 4, LANES)], tmp_path / "d.png")
        sizes.append(painted(tmp_path / "d.png", plots.FIRST_COLOUR))
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.1)
    few = Roll([(0, 1, 1)], 32, 4, LANES[:2])
    plots.rolls([few], tmp_path / "few.png")
    assert size(tmp_path / "few.png")[1] < size(tmp_path / "d.png")[1]


def test_what_a_note_holds_is_lighter(tmp_path: Path) -> None:
    for length in (1, 4):
        plots.rolls([tune(60, length, 1)], tmp_path / f"{length}.png")
    light = tuple(1 - 0.55 * (1 - part) for part in plots.FIRST_COLOUR)
    assert painted(tmp_path / "4.png", light) > 20
    assert painted(tmp_path / "1.png", light) < 5


@pytest.mark.parametrize(("count", "columns", "wider"), [(9, None, True), (9, 1, False), (4, 2, True)])
def test_rolls_stand_side_by_side(tmp_path: Path, count: int, columns: int | None, wider: bool) -> None:
    plots.rolls([tune(60, 2, 16)] * count, tmp_path / "p.png", ["a"] * count, columns=columns)
    width, height = size(tmp_path / "p.png")
    assert (width > height) is wider


def band(melody: int = 8, drums: int = 8) -> list[Roll]:
    """Return a band of two bars whose harmony is silent."""
    hits = [(4 * i, 1, 0) for i in range(drums)]
    return [
        replace(tune(72, 4, melody), length=32, name="melody"),
        Roll([], 32, 4, name="harmony"),
        Roll(hits, 32, 4, LANES, name="drums"),
    ]


def test_the_parts_of_a_band_stand_one_above_the_other(tmp_path: Path) -> None:
    for name, step in (("both", band()), ("melody", band(drums=0)), ("drums", band(melody=0))):
        plots.lanes([step], tmp_path / name)
    both, melody, drums = (painted(tmp_path / name, plots.FIRST_COLOUR) for name in ("both", "melody", "drums"))
    assert both == pytest.approx(melody + drums, rel=0.05)
    assert melody > 8 * 20
    # What is silent takes no room.
    assert size(tmp_path / "both")[1] > size(tmp_path / "melody")[1] + 50
    plots.lanes([band(0, 0)], tmp_path / "silent")
    assert size(tmp_path / "silent")[1] > 50


def test_a_part_that_one_band_lacks_keeps_its_room(tmp_path: Path) -> None:
    plots.lanes([band(), band(drums=0)], tmp_path / "a.png", ["first", "last"], columns=1)
    plots.lanes([band(), band()], tmp_path / "b.png", ["first", "last"], columns=1)
    assert size(tmp_path / "a.png") == size(tmp_path / "b.png")
    lost = painted(tmp_path / "b.png", plots.LAST_COLOUR) - painted(tmp_path / "a.png", plots.LAST_COLOUR)
    assert lost > 8 * 20


@pytest.mark.parametrize(("count", "across", "down"), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (9, 3, 3)])
def test_bands_fill_rows_evenly(tmp_path: Path, count: int, across: int, down: int) -> None:
    plots.lanes([band()] * count, tmp_path / "p.png")
    plots.lanes([band()], tmp_path / "one.png")
    one, all_ = size(tmp_path / "one.png"), size(tmp_path / "p.png")
    assert all_[1] == pytest.approx(down * one[1], abs=down)
    assert (across - 1) * one[0] * 0.7 < all_[0] <= across * one[0]


def test_loud_onsets_are_darker(tmp_path: Path) -> None:
    notes = [(4 * i, 1, 60) for i in range(8)]
    for name, loudness in (("loud", [1.0] * 8), ("soft", [0.2] * 8)):
        plots.lanes([[Roll(notes, 32, 4, loudness=loudness)]], tmp_path / name)
    assert painted(tmp_path / "loud", plots.FIRST_COLOUR) > 8 * 20
    assert painted(tmp_path / "soft", plots.FIRST_COLOUR) == 0
    light = 1 - 0.55 * (1 - np.array(plots.FIRST_COLOUR))
    shade = 0.52 * light + 0.48 * np.array(plots.FIRST_COLOUR)
    assert painted(tmp_path / "soft", tuple(shade)) > 8 * 20


@pytest.mark.timeout(120)
def test_long_and_many_parts_still_make_one_picture(tmp_path: Path) -> None:
    plots.rolls([tune(60, 2, 1600)] * 3, tmp_path / "long.png")
    plots.rolls([tune(60, 2, 8)] * 81, tmp_path / "many.png", columns=9)
    assert max(size(tmp_path / "long.png")) < 65_536
    assert max(size(tmp_path / "many.png")) < 65_536


def test_what_cannot_be_drawn_is_one_line(tmp_path: Path) -> None:
    one = tune(60, 2, 1)
    with pytest.raises(MusicaeError, match="nothing to draw"):
        plots.rolls([], tmp_path / "p.png")
    with pytest.raises(MusicaeError, match="nothing to draw"):
        plots.lanes([], tmp_path / "p.png")
    with pytest.raises(MusicaeError, match="there is no folder"):
        plots.rolls([one], tmp_path / "no" / "p.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(MusicaeError, match="cannot be written"):
        plots.rolls([one], tmp_path / "folder.png")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]
