"""Pictures of pictures show each where it belongs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musicae import plots
from musicae.errors import MusicaeError


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def near(path: Path, colour: tuple[int, int, int]) -> tuple[float, float, int]:
    """Return the mean place (down, across, as shares of the size) of the pixels of a colour, and their number."""
    seen = pixels(path)
    down, across = np.nonzero(np.abs(seen - np.array(colour)).max(-1) <= 3)
    return down.mean() / seen.shape[0], across.mean() / seen.shape[1], len(down)


def test_a_mosaic_has_each_tile_in_its_row_and_column() -> None:
    tiles = torch.arange(6.0).view(2, 3, 1, 1, 1).expand(2, 3, 1, 4, 5) / 5
    whole = plots.mosaic(tiles)
    assert whole.shape == (8, 15, 3)
    for row in range(2):
        for column in range(3):
            tile = whole[4 * row : 4 * row + 4, 5 * column : 5 * column + 5]
            assert torch.equal(tile, torch.full((4, 5, 3), (3 * row + column) / 5))
    colours = torch.rand(1, 2, 3, 4, 4)
    assert torch.equal(plots.mosaic(colours)[:, 4:], colours[0, 1].permute(1, 2, 0))
    with pytest.raises(MusicaeError, match="1 or 3 channels to be drawn, not 2"):
        plots.mosaic(torch.zeros(1, 1, 2, 4, 4))


def test_rows_stand_under_one_another(tmp_path: Path) -> None:
    red, blue = torch.zeros(4, 3, 8, 8), torch.zeros(4, 3, 8, 8)
    red[:, 0], blue[:, 2] = 1, 1
    plots.rows({"input": red, "output": blue}, tmp_path / "r.png", ["a", "b"])
    top, _, many = near(tmp_path / "r.png", (255, 0, 0))
    bottom, _, also = near(tmp_path / "r.png", (0, 0, 255))
    assert top < bottom
    assert many == pytest.approx(also, rel=0.05)


def test_the_plane_has_its_first_number_to_the_right_and_its_second_upwards(tmp_path: Path) -> None:
    tiles = torch.zeros(5, 5, 3, 6, 6)
    tiles[0, 4, 0] = 1  # Second number least, first number largest: bottom right.
    plots.plane(tiles, [-2.0, -1.0, 0.0, 1.0, 2.0], tmp_path / "p.png", "title")
    down, across, _ = near(tmp_path / "p.png", (255, 0, 0))
    assert down > 0.7
    assert across > 0.7


def test_what_cannot_be_drawn_is_one_line(tmp_path: Path) -> None:
    for lines in ({}, {"input": torch.zeros(0, 1, 4, 4)}):
        with pytest.raises(MusicaeError, match="nothing to draw"):
            plots.rows(lines, tmp_path / "p.png")
    with pytest.raises(MusicaeError, match="there is no folder"):
        plots.plane(torch.zeros(2, 2, 1, 4, 4), [0.0, 1.0], tmp_path / "no" / "p.png")
    assert list(tmp_path.iterdir()) == []
