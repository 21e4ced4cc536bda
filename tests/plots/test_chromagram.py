"""The picture of what sounds in a recording."""

import numpy as np
import pytest
from PIL import Image

from musicae import plots
from musicae.errors import MusicaeError


def draw(path, beats, chords=()):
    chroma = np.zeros((12, beats))
    chroma[np.arange(beats) % 12, np.arange(beats)] = 1
    plots.chromagram(chroma, list(chords), list(range(0, beats, 4)), path, "a song")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_rows_of_eight_bars(tmp_path):
    one, two, four = (draw(tmp_path / f"{beats}.png", beats) for beats in (32, 64, 100))
    assert one.shape[1] == two.shape[1] == four.shape[1]
    assert one.shape[0] < two.shape[0] < four.shape[0]
    dark = (two == (8, 48, 107)).all(2)  # The end of the scale of blues.
    assert dark.any(0).sum() > 300
    assert dark.any(1).sum() > 200


def test_names_of_chords_stand_above(tmp_path):
    bare, named = draw(tmp_path / "a.png", 32), draw(tmp_path / "b.png", 32, [(0, "Cmaj7"), (5, "G"), (6, "Am7b5")])
    assert bare.shape == named.shape
    assert (bare != named).any(2).sum() > 100


def test_a_picture_that_cannot_be_written(tmp_path):
    with pytest.raises(MusicaeError):
        draw(tmp_path / "no" / "such.png", 4)
