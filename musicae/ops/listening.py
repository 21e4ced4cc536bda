"""How surely a sound is what a preset is for."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from musicae.errors import MusicaeError

__all__ = ["heard", "log_odds"]

_WEIGHTS = (
    "data/silero_vad_16k.safetensors"  # In the package silero-vad; its code, which is slow to import, is not run.
)


def log_odds(content: str, samples: NDArray[np.float32], rate: int) -> float:
    """Return how surely samples ``(T,)`` at `rate` in Hz are of a content (``"speech"``); over 0: more likely than not.

    Raise MusicaeError for a content that nothing can tell.
    """
    from musicae.tensors.speech import speech_log_odds

    if content != "speech":
        raise MusicaeError(f"nothing can tell whether a sound is '{content}'; choose with --preset")
    return speech_log_odds(heard(samples, rate))


def heard(samples: NDArray[np.float32], rate: int) -> dict[str, float]:
    """Return what tells speech from music in samples ``(T,)`` at `rate` in Hz; see `speech_features`."""
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
