"""Syncopated sixteenths."""

from __future__ import annotations

from notes import SCALE, line, of

from musicae.attributes.syncopation16 import Syncopation16


def test_only_sixteenths_without_a_note_before_count() -> None:
    tunes = line(SCALE, [(1, 60), (6, 60)], [(0, 60), (1, 60), (2, 60), (3, 60)], [(3, 60), (5, 62)])
    assert of(Syncopation16(), tunes) == [0.0, 0.5, 0.0, 1.0]
