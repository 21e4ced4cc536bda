"""Figures to draw on, and how they are written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

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
        def savefig(self, file: BinaryIO, **_: str) -> None:
            file.write(b"half")
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


def test_a_picture_goes_to_a_stream_as_well(tmp_path: Path) -> None:
    drawing, stream = canvas.figure(1, 1), io.BytesIO()
    canvas.save(drawing, stream)
    canvas.save(drawing, tmp_path / "p.png")
    assert stream.getvalue() == (tmp_path / "p.png").read_bytes()
    assert stream.getvalue().startswith(b"\x89PNG")
