"""How far eighths swing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from notes import kit, line, of

from musicae.attributes.swing import Swing

STRAIGHT = [(beat + half, "closed hi-hat") for beat in range(0, 32, 4) for half in (0, 2)]
SWUNG = [(beat + half, "closed hi-hat") for beat in range(0, 32, 4) for half in (0, 3)]


def test_straight_is_half_a_beat_and_triplets_two_thirds() -> None:
    notes = kit(STRAIGHT, SWUNG)
    late = torch.zeros(2, 32)
    late[1, 3::4] = -1 / 3
    assert of(Swing(), replace(notes, late=late)) == pytest.approx([50, 200 / 3], abs=1e-4)


def test_the_beat_itself_may_be_late() -> None:
    late = torch.full((1, 32), 0.2)
    late[:, 2::4] = 0.4
    assert of(Swing(), replace(kit(STRAIGHT), late=late)) == pytest.approx([55])


def test_beats_of_sixteenths_do_not_count() -> None:
    sixteenths = [(step, "snare") for step in range(4)]
    late = torch.zeros(3, 32)
    late[0, :4] = 0.3
    assert of(Swing(), replace(kit(sixteenths + STRAIGHT[2:], sixteenths, [(2, "kick")]), late=late)) == pytest.approx(
        [50, math.nan, math.nan], nan_ok=True
    )


def test_without_timing_it_has_no_meaning() -> None:
    assert math.isnan(of(Swing(), line([(0, 60), (2, 62)]))[0])
