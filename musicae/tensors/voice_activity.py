"""How likely somebody speaks or sings at each moment: the network of Silero VAD, with weights from its package.

`Silero VAD <https://github.com/snakers4/silero-vad>`_ 6 (MIT licence). Its own code runs it moment by moment in
TorchScript; here all moments go through the layers together, but for the recurrent one.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["RATE", "voice_activity"]

RATE = 16_000  # Hz
_CHUNK, _CONTEXT = 512, 64  # Samples of a moment, and of the one before that it also sees.
_BINS = 129  # Of the spectrum.
_STRIDES = {"conv1": 1, "conv2": 2, "conv3": 2, "conv4": 1}


@torch.inference_mode()
def voice_activity(samples: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Return the log-odds of a voice ``(M,)`` for samples ``(T,)`` at 16 kHz.

    There are ``M = T / 512``, rounded up, moments of 32 ms.
    """
    padded = F.pad(samples, (_CONTEXT, -len(samples) % _CHUNK))
    moments = F.pad(padded.unfold(0, _CONTEXT + _CHUNK, _CHUNK)[:, None], (0, _CONTEXT), "reflect")
    waves = F.conv1d(moments, weights["stft_conv.weight"], stride=128)
    x = (waves[:, :_BINS].square() + waves[:, _BINS:].square()).sqrt()
    for name, stride in _STRIDES.items():
        x = F.conv1d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride=stride, padding=1).relu()
    found = x[:, :, 0]
    recurrent = torch.nn.LSTM(found.shape[1], found.shape[1])
    recurrent.load_state_dict({f"{name.removeprefix('lstm_cell.')}_l0": weights[name] for name in _RECURRENT})
    known = recurrent(found)[0]
    odds: Tensor = known.relu() @ weights["final_conv.weight"][0, :, 0] + weights["final_conv.bias"]
    return odds


_RECURRENT = tuple(f"lstm_cell.{kind}_{side}" for kind in ("weight", "bias") for side in ("ih", "hh"))
