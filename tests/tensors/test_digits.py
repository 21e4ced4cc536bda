"""Digits in photos."""

import numpy as np
import pytest
from scipy import ndimage

from musicae.tensors.digits import find_digit, is_digit

RNG = np.random.default_rng(0)


def seven() -> np.ndarray:
    """Return a 7 as MNIST has it: strokes two or three pixels wide, in a box of 20 pixels."""
    y, x = np.mgrid[:280, :280] / 10
    strokes = (abs(y - 5.2) < 1.2) & (x > 8) & (x < 20)
    strokes |= (abs((x - 19) + (y - 5) * 0.45) < 1.3) & (y > 4) & (y < 24)
    window = strokes.reshape(28, 10, 28, 10).mean((1, 3)).astype(np.float32)
    shift = np.round(13.9 - np.array(ndimage.center_of_mass(window))).astype(int)
    return np.roll(window, shift, (0, 1))


def photo(digit: np.ndarray, size: int, top: int, left: int, dark: bool = True, blur: float = 0.0) -> np.ndarray:
    """Return a digit on a sheet of 400 x 300 pixels in uneven light, with noise."""
    ink = np.zeros((400, 300), np.float32)
    big = ndimage.zoom(digit, size / 28, order=1).clip(0, 1)
    ink[top : top + big.shape[0], left : left + big.shape[1]] = big
    y, x = np.mgrid[-1:1:400j, -1:1:300j]
    light = 0.8 * (1 + 0.2 * x - 0.1 * y - 0.1 * x * x)
    picture = light * (1 - 0.7 * ink) if dark else 0.2 * light + 0.6 * ink
    return (picture + RNG.normal(size=picture.shape) * 0.02).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize(("size", "top", "left"), [(120, 10, 150), (200, 180, 20), (280, 60, 10)])
def test_a_digit_anywhere_on_a_sheet_is_the_digit(dark, size, top, left):
    found = find_digit(photo(seven(), size, top, left, dark), 28, 28)
    assert found is not None
    window, is_dark = found
    assert is_dark == dark
    assert np.mean((window - seven()) ** 2) < 0.012
    assert np.abs(np.array(ndimage.center_of_mass(window)) - 14).max() <= 0.51
    rows, columns = (np.flatnonzero((window > 0).any(axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20


def test_a_fine_pen_is_drawn_as_wide_as_mnist_s():
    fine = np.zeros((400, 300), np.float32)
    fine[100:300, 149:152] = 1
    picture = (0.9 - 0.7 * fine).astype(np.float32)
    window, _ = find_digit(picture, 28, 28)
    assert 1.5 < window.sum(1).max() < 4
    assert window.max() > 0.9


def test_windows_of_the_right_size_are_only_inverted():
    window = seven()
    assert is_digit(window, 28, 28)
    assert not is_digit(1 - window, 28, 28)
    made, is_dark = find_digit((1 - window).astype(np.float32), 28, 28)
    assert is_dark
    assert np.array_equal(made, 1 - (1 - window))


@pytest.mark.parametrize(
    "picture",
    [
        np.full((50, 60), 0.5),
        RNG.random((80, 80)),
        0.5 + RNG.normal(size=(90, 70)) * 0.02,
        np.linspace(0, 1, 6400).reshape(80, 80),
        np.zeros((1, 1)),
        np.zeros((1, 5000)),
        np.ones((5000, 1)),
    ],
)
def test_nothing_plain_is_no_digit(picture):
    assert find_digit(picture.astype(np.float32), 28, 28) is None


def test_the_edge_of_the_sheet_and_specks_are_left_out():
    picture = photo(seven(), 180, 100, 60)
    picture[:, :12] = 0.1  # The table beside it.
    picture[380:383, 280:283] = 0.1
    window, _ = find_digit(picture, 28, 28)
    assert np.mean((window - seven()) ** 2) < 0.012
