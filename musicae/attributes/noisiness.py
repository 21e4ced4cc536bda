"""How much a sound is noise."""

from __future__ import annotations

from torch import Tensor

from musicae.core import Attribute, Spectra

__all__ = ["Noisiness"]

_LEAST = 1e-12  # Of the largest power, to take a logarithm of.


class Noisiness(Attribute):
    """The spectral flatness in decibels: 0 for white noise, far below for a tone (Johnston 1988)."""

    unit = "dB"
    about = "how flat its spectrum is: 0 for noise, less for a tone"

    def of_spectra(self, spectra: Spectra) -> Tensor:
        """Return it for windows of sound, ``(B,)``; NaN for silence."""
        powers = spectra.powers.mean(2)
        powers = powers / powers.amax(1, keepdim=True)
        return 10 * (powers.clamp_min(_LEAST).log10().mean(1) - powers.mean(1).log10())
