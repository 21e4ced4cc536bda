"""Judges of speech by others, where their packages are installed: STOI and PESQ."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from torch import Tensor

__all__ = ["speech_scores"]

_PESQ_RATE = 16_000  # Hz, of its wide band.


def speech_scores(pairs: Sequence[tuple[Tensor, Tensor]], sample_rate: int) -> dict[str, list[float]]:
    """Return the scores of ``(clean, output)`` pairs of samples ``(T,)``, by the name of the judge.

    ``stoi`` is from 0 to 1 (Taal et al. 2011), ``pesq`` from 1 to 4.64 (ITU-T P.862.2, wide band, at 16 kHz only).
    A judge that is not installed (``musicae[peers]``) is left out.
    """
    found: dict[str, list[float]] = {}
    if importlib.util.find_spec("pystoi"):
        from pystoi import stoi

        found["stoi"] = [float(stoi(clean.numpy(), out.numpy(), sample_rate)) for clean, out in pairs]
    if importlib.util.find_spec("pesq") and sample_rate == _PESQ_RATE:
        from pesq import PesqError, pesq

        errors = PesqError.RETURN_VALUES
        values = [pesq(sample_rate, clean.numpy(), out.numpy(), "wb", on_error=errors) for clean, out in pairs]
        found["pesq"] = [max(1.0, float(value)) for value in values]  # A failure is as bad as can be.
    return found
