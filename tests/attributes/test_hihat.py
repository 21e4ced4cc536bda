"""The hi-hat's share."""

from __future__ import annotations

import math

from notes import kit, of

from musicae.attributes.hihat import HiHat


def test_open_and_closed_count_alike() -> None:
    beat = [(0, "kick"), (0, "closed hi-hat"), (2, "open hi-hat"), (4, "snare")]
    half, none = of(HiHat(), kit(beat, []))
    assert half == 0.5
    assert math.isnan(none)
