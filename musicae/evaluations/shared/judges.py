"""Standard measures of speech, STOI and PESQ, if their packages are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from torch import Tensor

__all__ = ["speech_scores"]

_PESQ_RATE = 16_000  # Hz, for wide-band PESQ.


def speech_scores(pairs: Sequence[tuple[Tensor, Tensor]], sample_rate: int) -> dict[str, list[float]]:
    """Return the scores of ``(clean, output)`` pairs of samples ``(T,)``, by the name of the measure.

    ``stoi`` is from 0 to 1 (Taal et al. 2011), ``pesq`` from 1 to 4.64 (ITU-T P.862.2, wide band, at 16 kHz only).
    A measure that is not installed (``musicae[peers]``) is left out.
    """
    scores: dict[str, list[float]] = {}
    if importlib.util.find_spec("pystoi"):
        from pystoi import stoi

        scores["stoi"] = [float(stoi(clean.numpy(), out.numpy(), sample_rate)) for clean, out in pairs]
    if importlib.util.find_spec("pesq") and sample_rate == _PESQ_RATE:
        from pesq import PesqError, pesq

        errors = PesqError.RETURN_VALUES
        values = [pesq(sample_rate, clean.numpy(), out.numpy(), "wb", on_error=errors) for clean, out in pairs]
        scores["pesq"] = [max(1.0, float(value)) for value in values]  # A failure gets the worst score.
    return scores
