"""Spectrograms of recordings of any length."""

import numpy as np
import pytest
import torch
from PIL import Image

from musicae.errors import MusicaeError
from musicae.plots.spectrograms import Overview, spectrograms


def tone(frames, rate=8000):
    return np.sin(2 * np.pi * 1000 * np.arange(frames) / rate).astype(np.float32)[:, None]


def test_the_loudest_bin_is_the_tones_whatever_the_blocks(tmp_path):
    pictures = []
    for size in (50_000, 777):
        overview = Overview(8000)
        x = tone(50_000)
        for at in range(0, len(x), size):
            overview.add(x[at : at + size], 0 * x[at : at + size])
        columns = np.stack(overview.columns)
        assert columns.shape == (48, 3, 513)
        assert (columns[:, 0].argmax(1) == 128).all()
        assert columns[:, 1].max() == 0
        np.testing.assert_allclose(columns[:, 2], columns[:, 0])
        overview.draw(tmp_path / "a.png", ["before", "after", "removed"])
        pictures.append((tmp_path / "a.png").read_bytes())
    assert pictures[0] == pictures[1]
    with Image.open(tmp_path / "a.png") as image:
        assert min(image.size) > 500


def test_columns_stay_few_however_long_it_gets():
    overview = Overview(8000)
    for _ in range(30):
        overview.add(tone(1024 * 300), tone(1024 * 300))
    assert len(overview.columns) < 2400
    assert overview.frames == 4
    assert (np.stack(overview.columns)[:, 0].argmax(1) == 128).all()


def test_a_sound_shorter_than_a_frame_is_drawn_and_none_is_one_line(tmp_path):
    overview = Overview(8000)
    overview.add(tone(10), tone(10))
    overview.draw(tmp_path / "a.png", ["", "", ""])
    with pytest.raises(MusicaeError, match="nothing to draw"):
        Overview(8000).draw(tmp_path / "b.png", ["", "", ""])


def test_spectrograms_stand_in_rows(tmp_path):
    pictures = [torch.rand(1, 20, 30, generator=torch.Generator().manual_seed(i)) for i in range(5)]
    spectrograms(pictures, tmp_path / "wide.png", ["first", "second"])
    spectrograms(pictures, tmp_path / "rows.png", columns=2)
    with Image.open(tmp_path / "wide.png") as wide, Image.open(tmp_path / "rows.png") as rows:
        assert wide.width > 3 * wide.height
        assert rows.height > rows.width
    with pytest.raises(MusicaeError, match="nothing to draw"):
        spectrograms([], tmp_path / "none.png")


def test_what_one_channel_has_inverted_is_seen():
    overview = Overview(8000)
    overview.add(tone(4096) * [1, -1], tone(4096) * [0, 1])
    columns = np.stack(overview.columns)
    assert (columns[:, 0].argmax(1) == 128).all()
    np.testing.assert_allclose(columns[:, 0], 2 * columns[:, 1], rtol=1e-5)
