"""Writes a codec of sound as TorchScript that nn~ loads, the object for neural networks of Max and Pure Data.

What nn~ expects was read in its source (github.com/acids-ircam/nn_tilde, src/backend/backend.cpp); its Python package
insists on one old version of PyTorch, and is not used. A file has methods from ``(B, inputs, n)`` to
``(B, outputs, m)``, called for each buffer, and

- for each method NAME an integer tensor ``NAME_params``: inputs, samples that one number of each input stands for,
  outputs, and samples that one number of each output stands for;
- ``NAME_input_labels`` and ``NAME_output_labels``, which a patch shows at the inlets and outlets;
- `get_methods` and `get_attributes`, the names of the methods and of what a message may set, and `get_sample_rate`.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Sound
from musicae.errors import MusicaeError
from musicae.exports.graphs import Function
from musicae.exports.nn_modules import Blocks, Both, Coding, NnModule, Restoring
from musicae.formats.atomic import atomic_write

__all__ = ["write"]

_MAX_RATIO = 2048  # Samples that a number of a code stands for at most: nn~'s buffers must be a multiple of it.
_LEVEL = 0.1  # RMS of the noise that is put through a model to trace it.


def write(preset: Codec | str, path: Path) -> dict[str, list[int]]:
    """Write a trained preset as a file for nn~; return the parameters of each method, see the module.

    A model of streams has the method ``forward``, one with a code ``encode``, ``decode`` and ``forward``. Buffers may
    be of any size that nn~ has. What comes out is late: by the model's delay and the samples that it takes at once, of
    a model with a code by one window. Raise MusicaeError for a preset that has no sound, or a place that cannot be
    written.
    """
    codec = codecs.load(preset) if isinstance(preset, str) else preset
    codec.networks().requires_grad_(False)
    sound = codec.adapter.sound
    if sound is None or codec.model.condition is not None or not (codec.model.streams or codec.model.latent_size):
        raise MusicaeError(
            f"'{codec.preset.name}' does not suit nn~, which takes presets of sound that have a code or work on streams"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of PyTorch, which has newer forms than nn~ knows.
        module = _stream(codec, sound) if codec.model.streams else _code(codec, sound)
        scripted = torch.jit.script(module.eval())
        with atomic_write(path) as temporary:
            temporary.write_bytes(_saved(scripted))
    return module.parameters_of_methods


def _saved(scripted: Any) -> bytes:
    """Return TorchScript as a file, which would otherwise hold the name that it was written under."""
    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    return buffer.getvalue()


def _stream(codec: Codec, sound: Sound) -> NnModule:
    model = codec.model
    first = model.initial_state()
    sizes = [one.numel() for one in first]

    def step(x: Tensor, state: Tensor) -> list[Tensor]:
        parts = [
            part.reshape(like.shape).to(like.dtype)
            for part, like in zip(torch.split(state[0], sizes), first, strict=True)
        ]
        params, after = model.stream(x, tuple(parts))
        return [codec.likelihood.mode(params.float()), torch.cat([part.reshape(1, -1).to(x) for part in after], 1)]

    size = model.multiple
    network = _traced(model, step, _LEVEL * torch.randn(1, 1, size), torch.zeros(1, sum(sizes)))
    return Restoring(sound.rate, Blocks(network, size, 1, size, sum(sizes)))


def _code(codec: Codec, sound: Sound) -> NnModule:
    layout = _Layout(codec.model.latent_size, codec.model.code_frames, sound.size)

    def encode(x: Tensor, state: Tensor) -> list[Tensor]:
        return [layout.to_signals(codec.model.encode(sound.analyse(x[:, 0])).mean), state]

    def decode(code: Tensor, state: Tensor) -> list[Tensor]:
        values = codec.model.decode(layout.from_signals(code), codec.likelihood.mode)
        return [sound.synthesise(values)[:, None], state]

    x, state = _LEVEL * torch.randn(1, 1, sound.size), torch.zeros(1, 0)
    encoder = _traced(codec.model, encode, x, state)
    decoder = _traced(codec.model, decode, encode(x, state)[0], state)
    blocks = [
        Blocks(encoder, sound.size, layout.channels, layout.slots, 0),
        Blocks(decoder, layout.slots, 1, sound.size, 0),
        Blocks(Both(encoder, decoder), sound.size, 1, sound.size, 0),
    ]
    return Coding(sound.rate, layout.channels, layout.ratio, blocks)


class _Layout:
    """How a code of `size` numbers in `frames` frames becomes signals, with a number for every `ratio` samples.

    The signal of a number of the frames has its value in each frame, as many as there is room for. What is left fills
    more signals, one after another.
    """

    def __init__(self, size: int, frames: int, samples: int) -> None:
        ratios = [ratio for power in range(12) if samples % (ratio := 2**power) == 0 and ratio <= _MAX_RATIO]
        self.ratio = next((ratio for ratio in ratios if samples // ratio <= frames), ratios[-1])
        self.size, self.frames, self.slots = size, frames, samples // self.ratio
        self.kept = self.slots if self.slots <= frames else 0
        rest = size - self.kept * (size // frames)
        self.missing = -rest % self.slots
        self.channels = (size // frames if self.kept else 0) + math.ceil(rest / self.slots)

    def to_signals(self, z: Tensor) -> Tensor:
        """Return signals ``(1, channels, slots)`` of a code ``(1, size)``."""
        rows = z.view(self.frames, -1)
        rest = nn.functional.pad(rows[self.kept :].flatten(), (0, self.missing)).view(-1, self.slots)
        return torch.cat([rows[: self.kept].T.reshape(-1, self.slots), rest])[None]

    def from_signals(self, code: Tensor) -> Tensor:
        """Undo `to_signals`."""
        wide = self.size // self.frames if self.kept else 0
        rest = code[0, wide:].reshape(-1)
        return torch.cat([code[0, :wide].T.reshape(-1), rest[: len(rest) - self.missing]])[None]


class _Pinned(TorchFunctionMode):
    """Makes the random numbers that a function draws constants: those of the first call for all that follow."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Tensor] = []
        self.again = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is not torch.rand:
            return function(*args, **kwargs or {})
        if self.again == len(self.kept):
            self.kept.append(function(*args, **kwargs or {}))
        self.again += 1
        return self.kept[self.again - 1]


def _traced(networks: nn.Module, call: Callable[..., Sequence[Tensor]], *inputs: Tensor) -> nn.Module:
    """Return a function as TorchScript, for inputs of these shapes."""
    pinned = _Pinned()
    with pinned:
        # With gradients on, models use their layers, whose weights are parameters, and not copies of these.
        call(*inputs)
        pinned.again = 0
        traced: nn.Module = torch.jit.trace(Function(networks, call), inputs, check_trace=False)  # type: ignore[no-untyped-call]
    return traced
