"""Intervals from note to note."""

from __future__ import annotations

import math

import pytest
from notes import SCALE, line, of

from musicae.attributes.interval import Interval


def test_it_is_the_mean_of_leaps_up_and_down_between_top_notes() -> None:
    scale, chord, one, none = of(Interval(), line(SCALE, [(0, 60), (0, 64), (9, 62)], [(3, 64)], []))
    assert scale == pytest.approx(12 / 7)
    assert chord == 2.0
    assert math.isnan(one)
    assert math.isnan(none)
