"""Spectra of sounds that are known."""

from __future__ import annotations

import torch

from musicae.core import Spectra

FREQUENCIES = 27.5 * 2 ** torch.arange(8.0)  # Octaves from the lowest A of a piano.


def tone(row: int, frames: int = 10) -> Spectra:
    """Return a sound of one frequency that stops after some frames of 20."""
    powers = torch.zeros(1, 8, 20)
    powers[0, row, :frames] = 1.0
    return Spectra(powers, FREQUENCIES, 100.0)


NOISE = Spectra(torch.ones(1, 8, 20), FREQUENCIES, 100.0)
SILENCE = Spectra(torch.zeros(1, 8, 20), FREQUENCIES, 100.0)
