"""Other programs that clean recordings, in the same harness: those that are installed (``musicae[peers]``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..errors import MusicaeError, did_you_mean

__all__ = ["aligned", "peers"]

Peer = Callable[[Tensor, int], Tensor]
"""Cleans samples ``(T,)`` at a rate in Hz."""

_REACH = 0.06  # Seconds by which a peer may be late.
_RNNOISE = 48_000


def _noisereduce(x: Tensor, rate: int) -> Tensor:
    import noisereduce

    return torch.from_numpy(np.asarray(noisereduce.reduce_noise(y=x.numpy(), sr=rate), np.float32))


def _rnnoise(x: Tensor, rate: int) -> Tensor:
    import soxr
    from pyrnnoise.rnnoise import FRAME_SIZE, create, destroy, process_mono_frame

    samples = soxr.resample(x.numpy(), rate, _RNNOISE)
    frames = np.pad(samples, (0, -len(samples) % FRAME_SIZE)).reshape(-1, FRAME_SIZE)
    whole = (np.clip(frames, -1, 1) * 32_767).astype(np.int16)
    state = create()
    out = np.concatenate([process_mono_frame(state, frame)[0] for frame in whole]).astype(np.float32) / 32_767
    destroy(state)
    return torch.from_numpy(soxr.resample(out.ravel(), _RNNOISE, rate).astype(np.float32))


def _speex(x: Tensor, rate: int) -> Tensor:
    from speexdsp_ns import NoiseSuppression

    size = rate // 50
    made = NoiseSuppression.create(size, rate)
    samples = (np.clip(x.numpy(), -1, 1) * 32_767).astype("<i2")
    frames = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    out = np.concatenate([np.frombuffer(made.process(frame.tobytes()), "<i2") for frame in frames])
    return torch.from_numpy(out.astype(np.float32) / 32_767)


_KNOWN: dict[str, tuple[str, Peer]] = {
    "noisereduce": ("noisereduce", _noisereduce),
    "rnnoise": ("pyrnnoise", _rnnoise),
    "speex": ("speexdsp_ns", _speex),
}


def peers(names: str) -> dict[str, Peer]:
    """Return those of `names`, separated by commas. Raise MusicaeError for one that is not known or not installed."""
    found = {}
    for name in filter(None, (word.strip() for word in names.split(","))):
        if name not in _KNOWN:
            raise MusicaeError(f"--against {name}: there is no such peer{did_you_mean(name, _KNOWN)}")
        module, peer = _KNOWN[name]
        if importlib.util.find_spec(module) is None:
            raise MusicaeError(f"--against {name}: it is not installed; pip install 'musicae[peers]'")
        found[name] = peer
    return found


def aligned(x: Tensor, like: Tensor, rate: int) -> Tensor:
    """Return `x` ``(T,)`` moved in time to where it is most `like` ``(T',)``, and as long as that."""
    size = len(like)
    padded = torch.nn.functional.pad(x, (0, max(0, size - len(x))))[:size]
    n = 2 * size
    product = torch.fft.rfft(padded, n=n) * torch.fft.rfft(like, n=n).conj()
    likeness = torch.fft.irfft(product, n=n)
    reach = round(_REACH * rate)
    lag = int(torch.cat([likeness[-reach:], likeness[: reach + 1]]).argmax()) - reach
    moved = torch.roll(padded, -lag)
    if lag > 0:
        moved[size - lag :] = 0
    elif lag < 0:
        moved[:-lag] = 0
    return moved
