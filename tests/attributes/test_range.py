"""The range of notes."""

from __future__ import annotations

import math

from notes import SCALE, line, of

from musicae.attributes.range import Range


def test_it_goes_from_the_lowest_note_to_the_highest() -> None:
    octave, one, none = of(Range(), line(SCALE, [(3, 64)], []))
    assert (octave, one) == (12.0, 0.0)
    assert math.isnan(none)
