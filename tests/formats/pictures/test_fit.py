"""Pictures brought to the size of a window."""

import numpy as np

from musicae.formats.pictures import fit as picture_fit
from musicae.formats.pictures.files import Raster
from musicae.formats.pictures.fit import centred, digit, scaled, spread, without_alpha


def test_colours_spread_to_what_is_hidden():
    values = np.zeros((5, 9, 3), np.uint8)
    values[:, :2], values[:, 7:] = [200, 10, 10], [10, 10, 200]
    alpha = np.zeros((5, 9), np.uint8)
    alpha[:, :2], alpha[:, 7:] = 255, 1
    made = spread(values, alpha)
    assert np.array_equal(made[:, :4], np.broadcast_to([200, 10, 10], (5, 4, 3)))
    assert np.array_equal(made[:, 5:], np.broadcast_to([10, 10, 200], (5, 4, 3)))
    assert np.array_equal(spread(values, np.zeros_like(alpha)), values)
    assert np.array_equal(spread(values, np.full_like(alpha, 255)), values)


def test_tiles_and_strips_make_no_difference(monkeypatch):
    rng = np.random.default_rng(0)
    values, alpha = rng.integers(0, 256, (70, 50, 3)).astype(np.uint8), rng.integers(0, 3, (70, 50)).astype(np.uint8)
    alpha[20:40, 10:30] = 0
    whole, blended = spread(values, alpha), without_alpha(Raster(values, alpha))
    monkeypatch.setattr(picture_fit, "_TILE", 16)
    monkeypatch.setattr(picture_fit, "_STRIP", 7)
    assert np.array_equal(spread(values, alpha), whole)
    assert np.array_equal(without_alpha(Raster(values, alpha)), blended)


def test_real_numbers_are_blended_scaled_and_padded_as_bytes_are():
    values, alpha = np.full((8, 8, 1), 0.75, np.float32), np.ones((8, 8), np.float32)
    alpha[:4] = 0
    made = without_alpha(Raster(values, alpha))
    assert made[0, 0, 0] == 0
    assert made[7, 0, 0] == np.float32(0.75)
    remarks: list[str] = []
    assert scaled(values, 4, 4, remarks).shape == (4, 4, 1)
    assert centred(values, 10, 6, remarks).shape == (10, 6, 1)
    assert len(remarks) == 3


def test_a_picture_without_a_digit_is_scaled():
    remarks: list[str] = []
    flat = np.full((60, 40, 3), 200, np.uint8)
    assert digit(flat, 255, 28, 28, remarks).shape == (28, 28, 3)
    assert remarks[0] == "no plain digit was found in it"
