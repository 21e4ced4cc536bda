"""Detect whether a sound is of the kind that a preset is for."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from musicae.errors import WITH_PRESET, MusicaeError, line_of

__all__ = ["features", "log_odds"]

# In the package silero-vad, whose code is not run: importing it is slow.
_WEIGHTS = "data/silero_vad_16k.safetensors"


def log_odds(content: str, samples: NDArray[np.float32], rate: int) -> float:
    """Return the log-odds that samples ``(T,)`` at `rate` in Hz are of a content (``"speech"``).

    Raise MusicaeError for a content that has no detector.
    """
    from musicae.tensors.speech import speech_log_odds

    if content != "speech":
        raise MusicaeError(line_of(f"there is no detector for '{content}'; choose a preset ", WITH_PRESET))
    return speech_log_odds(features(samples, rate))


def features(samples: NDArray[np.float32], rate: int) -> dict[str, float]:
    """Return the `speech_features` of samples ``(T,)`` at `rate` in Hz."""
    import soxr
    import torch

    from musicae.tensors.speech import speech_features
    from musicae.tensors.voice_activity import RATE

    return speech_features(torch.from_numpy(soxr.resample(samples, rate, RATE)), _weights())


@cache
def _weights() -> dict[str, Tensor]:
    from safetensors.torch import load_file

    found = find_spec("silero_vad")
    if found is None or found.origin is None:
        raise MusicaeError("the package silero-vad is missing; install it with: pip install silero-vad")
    return load_file(Path(found.origin).parent / _WEIGHTS)
