"""The brightness of sounds."""

from __future__ import annotations

import pytest
from sounds import NOISE, SILENCE, tone

from musicae.attributes.brightness import Brightness


def test_it_is_the_middle_of_the_spectrum_as_a_pitch() -> None:
    assert Brightness().of_spectra(tone(4)).item() == pytest.approx(69)
    assert Brightness().of_spectra(tone(7)).item() == pytest.approx(105)
    assert Brightness().of_spectra(NOISE).item() == pytest.approx(21 + 12 * 3.5)
    assert Brightness().of_spectra(SILENCE).isnan().all()
