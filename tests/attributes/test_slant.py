"""The slant of writing."""

from __future__ import annotations

import math

import pytest
from strokes import stroke

from musicae.attributes.slant import Slant


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.5])
def test_it_is_the_angle_to_the_right(lean: float) -> None:
    assert Slant().of_pictures(stroke(lean=lean)).item() == pytest.approx(math.degrees(math.atan(lean)), abs=2)
