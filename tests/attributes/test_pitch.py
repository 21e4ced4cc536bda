"""The pitch of notes and of sounds."""

from __future__ import annotations

import math

import pytest
import torch
from notes import SCALE, line, of

from musicae.attributes.pitch import Pitch
from musicae.core import Spectra


def test_the_mean_of_notes_counts_each_once() -> None:
    high, none = of(Pitch(), line([*SCALE, (1, 72)], []))
    assert high == pytest.approx((60 + 62 + 64 + 65 + 67 + 69 + 71 + 72 + 72) / 9)
    assert math.isnan(none)


def test_a_sound_has_that_of_its_strongest_partial() -> None:
    powers, frequencies = torch.zeros(2, 200, 5), torch.linspace(20, 4000, 200)
    powers[0, 21] = 1.0  # 440 Hz.
    powers[0, 80] = 0.5
    powers[0, 150] = 9.0  # Too high to be a pitch.
    found = Pitch().of_spectra(Spectra(powers, frequencies, 100.0))
    assert found[0].item() == pytest.approx(69, abs=0.01)
    assert found[1].isnan()
