"""Notes over the pitch that was sung."""

import numpy as np
import pytest
from PIL import Image

from musicae.errors import MusicaeError
from musicae.plots import sung_line


def size(path):
    with Image.open(path) as image:
        return image.size


def test_long_recordings_have_more_rows_of_the_same_width(tmp_path):
    curve = np.full(400, 62.3, np.float32)
    curve[100:200] = np.nan
    notes = [(0.5, 3.0, 62), (3.0, 9.0, 66)]
    sung_line(notes, curve, 10.0, [0.0, 0.5, 1.0], tmp_path / "short.png", "a voice")
    sung_line(notes, curve, 40.0, [], tmp_path / "long.png", "a voice")
    sung_line(notes, curve, 9000.0, [], tmp_path / "hours.png", "a voice")
    short, long, hours = (size(tmp_path / f"{name}.png") for name in ("short", "long", "hours"))
    assert short[0] == long[0] == hours[0]
    assert short[1] < long[1] < hours[1] < 25 * short[1]


def test_without_notes_it_is_drawn_all_the_same_but_not_without_a_folder(tmp_path):
    sung_line([], np.zeros(0, np.float32), 0.0, [], tmp_path / "a.png", "")
    assert size(tmp_path / "a.png")[1] > 50
    with pytest.raises(MusicaeError):
        sung_line([], np.zeros(0, np.float32), 0.0, [], tmp_path / "no" / "a.png", "")
