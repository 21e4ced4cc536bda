"""Points with their names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musicae import plots
from musicae.errors import MusicaeError
from musicae.plots.named_points import _plain


def test_names_that_would_overlap_are_left_out(tmp_path: Path) -> None:
    spread = torch.tensor([[float(i % 4), float(i // 4)] for i in range(12)])
    assert plots.named_points(spread, [f"tune {i}" for i in range(12)], tmp_path / "spread.png") == 12
    crowd = torch.cat([torch.zeros(300, 2), torch.tensor([[9.0, 9.0], [-9.0, 9.0]])])
    assert 2 <= plots.named_points(crowd, ["a long name of a tune"] * 302, tmp_path / "crowd.png") < 12


def test_groups_have_colours_and_a_legend(tmp_path: Path) -> None:
    points = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    plots.named_points(points, [""] * 60, tmp_path / "plain.png")
    plots.named_points(points, [""] * 60, tmp_path / "groups.png", [f"folder {i % 13}" for i in range(60)])
    few, many = (np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")) for name in ("plain", "groups"))
    assert len(np.unique(many.reshape(-1, 3) // 64, axis=0)) > len(np.unique(few.reshape(-1, 3) // 64, axis=0))


def test_odd_names_and_places(tmp_path: Path) -> None:
    names = ["$x_", "\udcff\n", "青花", "e" * 500]
    assert plots.named_points(torch.zeros(4, 2), names, tmp_path / "a.png", title="$_" * 90) >= 1
    assert plots.named_points(torch.zeros(1, 2), ["one"], tmp_path / "b.png") == 1
    assert _plain("青" * 2 + "\n", 40) == "\\u9752\\u9752\\u000a"
    assert (len(_plain("e" * 500, 28)), _plain("short", 28)) == (28, "short")
    with pytest.raises(MusicaeError, match="nothing to draw"):
        plots.named_points(torch.zeros(0, 2), [], tmp_path / "c.png")
