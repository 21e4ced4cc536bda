"""How clear a key is."""

from __future__ import annotations

import math

from notes import SCALE, line, of

from musicae.attributes.key import Key


def test_a_scale_is_clearer_than_all_twelve_notes_and_as_clear_in_any_key() -> None:
    chromatic = [(i, 60 + i) for i in range(11)]
    higher = [(step, pitch + 5) for step, pitch in SCALE]
    scale, moved, all_notes, none = of(Key(), line(SCALE, higher, chromatic, []))
    assert scale > 0.75
    assert abs(scale - moved) < 1e-5
    assert all_notes < 0.5
    assert math.isnan(none)
