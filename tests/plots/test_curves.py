"""Codes as points, and the curves of a training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musicae import plots
from musicae.errors import MusicaeError


def hues(path: Path) -> int:
    """Return how many clearly different colours a picture has."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    vivid = pixels[pixels.max(1) - pixels.min(1) > 60]
    return len(np.unique(vivid // 64, axis=0))


@pytest.mark.parametrize("classes", [10, 14])
def test_each_class_has_a_colour(tmp_path: Path, classes: int) -> None:
    labels = torch.arange(300) % classes
    points = torch.stack([labels.cos(), labels.sin()], dim=1) + 0.02 * torch.randn(300, 2)
    plots.scatter(points, tmp_path / "some.png", labels, ["one", "two"], axes=("x", "y"), title="codes")
    plots.scatter(points, tmp_path / "none.png")
    assert hues(tmp_path / "some.png") > hues(tmp_path / "none.png") > 0


def test_points_that_are_all_one_point(tmp_path: Path) -> None:
    plots.scatter(torch.zeros(3, 2), tmp_path / "p.png", torch.tensor([4, 4, 5]))
    assert (tmp_path / "p.png").is_file()


def test_held_out_curves_lie_over_those_of_training(tmp_path: Path) -> None:
    curves = {
        "loss": [(1.0, 100.0), (2.0, 10.0), (3.0, 1.0)],
        "validation_loss": [(2.0, 20.0), (3.0, float("nan"))],
        "kl": [(1.0, 0.0), (2.0, -1.0)],
    }
    plots.losses(curves, tmp_path / "both.png", "a run")
    with Image.open(tmp_path / "both.png") as image:
        assert image.width > image.height  # Two panels, side by side.
    plots.losses({"loss": curves["loss"]}, tmp_path / "one.png")
    assert hues(tmp_path / "both.png") > hues(tmp_path / "one.png")


def test_what_cannot_be_drawn_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match="nothing to draw"):
        plots.scatter(torch.zeros(0, 2), tmp_path / "p.png")
    with pytest.raises(MusicaeError, match="nothing to draw"):
        plots.losses({"loss": []}, tmp_path / "p.png")
    assert list(tmp_path.iterdir()) == []
