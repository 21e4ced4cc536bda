"""Pictures as they are shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from musicae.errors import MusicaeError
from musicae.formats.pictures.views import size_of, view


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).integers(0, 256, (30, 40, 4), np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_small_picture_stays_and_a_large_one_is_scaled(photo: Path, tmp_path: Path) -> None:
    assert size_of(photo) == (40, 30)
    view(photo, tmp_path / "b.png", (40, 30), 64)
    with Image.open(photo) as one, Image.open(tmp_path / "b.png") as other:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    view(photo, tmp_path / "c.png", (40, 30), 20)
    view(photo, tmp_path / "d.png", (80, 60), 64)
    with Image.open(tmp_path / "c.png") as one, Image.open(tmp_path / "d.png") as other:
        assert (one.size, other.size) == ((20, 15), (64, 48))
        assert one.mode == "RGBA"


def test_a_photo_that_was_held_upright_is_as_high_as_it_is_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", exif=exif)
    assert size_of(tmp_path / "a.jpg") == (30, 40)
    view(tmp_path / "a.jpg", tmp_path / "b.png", (30, 40), 100)
    assert size_of(tmp_path / "b.png") == (30, 40)


def test_what_is_no_picture_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    for refused in (lambda: size_of(tmp_path / "a.png"), lambda: size_of(tmp_path / "none.png")):
        with pytest.raises(MusicaeError, match=r"a\.png is not a picture|none\.png"):
            refused()
