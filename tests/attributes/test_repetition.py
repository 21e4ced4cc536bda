"""What comes again."""

from __future__ import annotations

import math

import pytest
from notes import SCALE, line, of

from musicae.attributes.repetition import Repetition


def test_it_is_the_share_of_notes_that_come_again_at_the_best_distance() -> None:
    twice = [(0, 60), (5, 64), (16, 60), (21, 64)]
    half = [(0, 60), (5, 64), (16, 60), (21, 65)]
    *found, none = of(Repetition(), line(SCALE, twice, half, []))
    assert found == pytest.approx([0.0, 1.0, 0.5])
    assert math.isnan(none)
