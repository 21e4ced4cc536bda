"""The length of sounds."""

from __future__ import annotations

import pytest
from sounds import SILENCE, tone

from musicae.attributes.length import Length


def test_it_is_the_time_until_it_is_quiet() -> None:
    fading = tone(3, 20)
    fading.powers[..., 10:] *= 1e-5
    assert Length().of_spectra(tone(3, 8)).item() == pytest.approx(0.08)
    assert Length().of_spectra(fading).item() == pytest.approx(0.1)
    assert Length().of_spectra(SILENCE).isnan().all()
