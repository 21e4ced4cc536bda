"""The pictures show the notes that are there, and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musicae import plots
from musicae.errors import MusicaeError


def line(*tokens: int) -> Tensor:
    return torch.eye(90)[list(tokens)].T


def painted(path: Path, colour: tuple[float, float, float]) -> int:
    """Return how many pixels of a picture have a colour."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    return int((np.abs(pixels - np.round(np.array(colour) * 255)).max(-1) <= 1).sum())


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_notes_are_onsets_and_what_they_hold() -> None:
    assert plots.notes(line(1, 2, 1, 1, 0, 1, 41, 43, 1)) == [(1, 3, 21), (6, 1, 60), (7, 2, 62)]
    assert plots.notes(line(3), low=40) == [(0, 1, 41)]


def test_hits_are_values_over_one_half() -> None:
    assert plots.hits(torch.tensor([[0.0, 1.0], [0.6, 0.4]])) == [(1, 1, 0), (0, 1, 1)]


def test_bar_lines_follow_the_meter() -> None:
    assert plots.bar_lines(32, [(0, 4, 4)]) == ([0, 16], [4, 8, 12, 20, 24, 28])
    assert plots.bar_lines(24, [(0, 3, 4), (12, 6, 8)]) == ([0, 12], [4, 8, 14, 16, 18, 20, 22])
    assert plots.bar_lines(8, [(0, 2, 4), (32, 3, 4)])[0] == [0]


def test_a_picture_shows_onsets_dark_in_the_colours_of_its_ends(tmp_path: Path) -> None:
    tune, other, silent = line(*[41, 1, 1, 1] * 8), line(*[45, 1] * 16), line(*[0] * 32)
    plots.rolls([tune, other], tmp_path / "two.png")
    plots.rolls([silent, other], tmp_path / "one.png")
    assert painted(tmp_path / "two.png", plots.FIRST_COLOUR) > 8 * 20
    assert painted(tmp_path / "one.png", plots.FIRST_COLOUR) == 0
    onsets = [painted(tmp_path / name, plots.LAST_COLOUR) for name in ("two.png", "one.png")]
    assert min(onsets) > 16 * 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_drums_have_a_row_for_each_hit(tmp_path: Path) -> None:
    hits = torch.zeros(9, 32)
    sizes = []
    for count in (1, 2):
        hits[count, ::4] = 1
        plots.rolls([hits], tmp_path / "d.png", kind="drums", labels=("kick", "snare"))
        sizes.append(painted(tmp_path / "d.png", plots.FIRST_COLOUR))
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.1)


@pytest.mark.parametrize(("count", "columns", "wider"), [(9, None, True), (9, 1, False), (4, 2, True)])
def test_rolls_stand_side_by_side(tmp_path: Path, count: int, columns: int | None, wider: bool) -> None:
    plots.rolls([line(*[41, 1] * 16)] * count, tmp_path / "p.png", ["a"] * count, columns=columns)
    width, height = size(tmp_path / "p.png")
    assert (width > height) is wider


@pytest.mark.timeout(120)
def test_long_and_many_parts_still_make_one_picture(tmp_path: Path) -> None:
    plots.rolls([line(*[41, 1] * 1600)] * 3, tmp_path / "long.png")
    plots.rolls([line(*[41, 1] * 8)] * 81, tmp_path / "many.png", columns=9)
    assert max(size(tmp_path / "long.png")) < 65_536
    assert max(size(tmp_path / "many.png")) < 65_536


def test_what_cannot_be_drawn_is_one_line(tmp_path: Path) -> None:
    tune = line(41, 1)
    with pytest.raises(MusicaeError, match="there is no picture of 'toy'"):
        plots.rolls([tune], tmp_path / "p.png", kind="toy")
    with pytest.raises(MusicaeError, match="nothing to draw"):
        plots.rolls([], tmp_path / "p.png")
    with pytest.raises(MusicaeError, match="there is no folder"):
        plots.rolls([tune], tmp_path / "no" / "p.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(MusicaeError, match="cannot be written"):
        plots.rolls([tune], tmp_path / "folder.png")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]
