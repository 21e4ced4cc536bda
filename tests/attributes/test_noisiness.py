"""The noisiness of sounds."""

from __future__ import annotations

import pytest
from sounds import NOISE, SILENCE, tone

from musicae.attributes.noisiness import Noisiness


def test_noise_is_flat_and_a_tone_is_not() -> None:
    assert Noisiness().of_spectra(NOISE).item() == pytest.approx(0, abs=1e-5)
    assert Noisiness().of_spectra(tone(2)).item() < -50
    assert Noisiness().of_spectra(SILENCE).isnan().all()
