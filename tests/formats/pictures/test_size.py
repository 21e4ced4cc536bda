"""How much memory a picture takes."""

import PIL.Image
import pytest

from musicae.formats.pictures.size import memory_of, plain_mode


@pytest.mark.parametrize(
    ("mode", "plain", "least"),
    [("1", "L", 2), ("L", "L", 2), ("P", "RGB", 8), ("RGB", "RGB", 7), ("RGBA", "RGBA", 12), ("CMYK", "RGB", 11)],
)
def test_at_least_what_pillow_and_numpy_hold_at_a_time(mode, plain, least):
    image = PIL.Image.new(mode, (10, 20))
    assert plain_mode(image) == plain
    assert least * 200 <= memory_of(image, 0, 0) <= (least + 12) * 200


def test_what_comes_afterwards_counts_where_it_is_more():
    opaque, clear = PIL.Image.new("RGB", (10, 20)), PIL.Image.new("RGBA", (10, 20))
    assert memory_of(opaque, 40, 30) == 30 * 200
    assert memory_of(clear, 40, 30) > 40 * 200 == memory_of(PIL.Image.new("P", (10, 20)), 40, 30)
    numbers = PIL.Image.new("F", (10, 20))
    assert memory_of(numbers, 40, 30) == 40 * 200
    assert memory_of(numbers, 0, 0) > memory_of(PIL.Image.new("L", (10, 20)), 0, 0)
