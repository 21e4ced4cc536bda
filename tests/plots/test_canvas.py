"""Figures to draw on, and how they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from musicae.errors import MusicaeError
from musicae.plots import canvas


@pytest.mark.parametrize(("width", "height", "size"), [(3.0, 2.0, (360, 240)), (600.0, 1.0, (30_000, 50))])
def test_a_figure_has_the_size_asked_for_as_far_as_a_canvas_goes(
    tmp_path: Path, width: float, height: float, size: tuple[int, int]
) -> None:
    canvas.save(canvas.figure(width, height), tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        assert (image.format, image.size) == ("PNG", size)


def test_nothing_is_left_of_a_picture_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"before")

    class Broken:
        def savefig(self, path: Path, **_: str) -> None:
            path.write_bytes(b"half")
            raise OSError("disk full")

    with pytest.raises(MusicaeError, match="cannot be written"):
        canvas.save(Broken(), tmp_path / "p.png")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]
    with pytest.raises(MusicaeError, match="no folder"):
        canvas.save(canvas.figure(1, 1), tmp_path / "none" / "p.png")


def test_drawing_leaves_pyplot_alone() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from musicae.plots import canvas; canvas.figure(1, 1); print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
