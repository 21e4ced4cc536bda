"""Syncopated eighths."""

from __future__ import annotations

import math

import torch
from notes import SCALE, kit, line, of

from musicae.attributes.syncopation import Syncopation
from musicae.core import Notes


def test_only_off_beats_without_a_note_on_the_beat_count() -> None:
    tunes = line(SCALE, [(2, 60), (6, 60)], [(0, 60), (2, 60), (5, 60), (6, 60)], [(3, 60), (6, 62)], [])
    *found, none = of(Syncopation(), tunes)
    assert found == [0.0, 1.0, 0.0, 0.5]
    assert math.isnan(none)


def test_hi_hats_keep_the_time_and_are_not_syncopated() -> None:
    hats = [(step, "closed hi-hat") for step in range(0, 32, 4)]
    assert of(Syncopation(), kit([*hats, (2, "kick"), (4, "snare")], [(2, "ride"), (0, "kick")])) == [0.5, 0.0]


def test_a_grid_without_eighths_has_none() -> None:
    assert Syncopation().of_notes(Notes(torch.ones(1, 2, 9, dtype=torch.bool), 3)).isnan().all()
