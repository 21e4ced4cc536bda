"""How bright a sound is."""

from __future__ import annotations

from torch import Tensor

from musicae.core import Attribute, Spectra

__all__ = ["Brightness"]


class Brightness(Attribute):
    """The spectral centroid, on the scale of pitch: the mean of the partials' pitches, each with its magnitude."""

    unit = "MIDI pitch"
    about = "where the middle of its spectrum lies; 60 is 262 Hz, 108 is 4186 Hz"

    def of_spectra(self, spectra: Spectra) -> Tensor:
        """Return it for windows of sound, ``(B,)``; NaN for silence."""
        magnitudes = spectra.powers.sum(2).sqrt()
        return 69 + 12 * (magnitudes @ (spectra.frequencies / 440).log2()) / magnitudes.sum(1)
