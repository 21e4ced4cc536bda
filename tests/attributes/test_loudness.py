"""The velocity of notes."""

from __future__ import annotations

import math

import pytest
from notes import SCALE, line, of

from musicae.attributes.loudness import Loudness


def test_it_is_the_mean_velocity_where_notes_begin() -> None:
    loud, none = of(Loudness(), line(SCALE, [], loudness=0.5))
    assert loud == pytest.approx(63.5)
    assert math.isnan(none)
    assert math.isnan(of(Loudness(), line(SCALE))[0])
