"""Notes a bar."""

from __future__ import annotations

from notes import SCALE, kit, line, of

from musicae.attributes.density import Density


def test_notes_of_all_pitches_are_counted_a_bar() -> None:
    assert of(Density(), line(SCALE, [], [(0, 60), (0, 64)])) == [4.0, 0.0, 1.0]
    assert of(Density(), kit([(0, "kick"), (0, "crash"), (4, "snare")], steps=16)) == [3.0]
