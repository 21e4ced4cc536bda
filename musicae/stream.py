"""Cleaning a sound that comes in blocks: `Denoiser` is given blocks of any size and gives blocks back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .adapters.audio import resample
from .codec import Codec, load
from .core import Streamer
from .errors import MusicaeError

__all__ = ["Denoiser", "share_kept"]

Block = NDArray[np.float32]

_LEAST = 1e-12
_VOICED = (200, 4000)  # Hz, where voices are loudest.
_LOUDEST = 1e6  # What is beyond is no sound.


class Denoiser:
    """Clean a sound block by block.

    Parameters
    ----------
    preset : a name, a checkpoint's path, or a `Codec`, of a model that streams.
    rate : of the blocks, in Hz. What lies above the model's own band follows what the model does to its upper part.
    channels : each is cleaned by itself.
    strength : 1 takes all the noise off that the model finds, 0 none.

    Raises
    ------
    MusicaeError : a preset that does not stream, or numbers out of range.

    The blocks that `process` and at the end `flush` return are together as long as those that went in, sample for
    sample in time with them, and the same whatever the blocks' sizes. `latency` is in seconds.
    """

    def __init__(
        self, preset: Codec | str = "denoise-speech", rate: int = 16_000, channels: int = 1, strength: float = 1.0
    ) -> None:
        codec = preset if isinstance(preset, Codec) else load(preset)
        core = getattr(codec.adapter, "rate", None)
        if not isinstance(codec.model, Streamer) or core is None:
            raise MusicaeError(f"the preset '{codec.preset.name}' does not clean sound in blocks; use one that does")
        if not 1000 <= rate <= 768_000:
            raise MusicaeError(f"the rate must be between 1000 and 768000 Hz, not {rate}")
        if channels < 1:
            raise MusicaeError(f"there must be a channel at least, not {channels}")
        if not 0 <= strength <= 1:
            raise MusicaeError(f"strength must be between 0 and 1, not {strength}")
        self.codec, self.rate, self.channels, self.strength = codec, int(rate), channels, strength
        self.model: Streamer = codec.model
        self.core = int(core)
        self.reset()

    def reset(self) -> None:
        """Begin anew, with another sound."""
        self._down = _resampler(self.rate, self.core, self.channels)
        # Cleaned, as it was, and the gain for what lies above: these three of each channel.
        self._up = _resampler(self.core, self.rate, 3 * self.channels)
        self._state: Any = None
        self._held = torch.zeros(self.channels, self.model.delay)  # Samples to come out as late as the model's.
        self._last = torch.zeros(2 * self.channels, 1)
        self._waiting = np.zeros((0, self.channels), np.float32)  # At the model's rate, fewer than it takes at once.
        self._given = np.zeros((0, self.channels), np.float32)  # What has not come out cleaned yet.
        self._skip = self.model.delay

    @property
    def latency(self) -> float:
        """By how many seconds a block is late: the model's delay, and the samples it takes at once."""
        return (self.model.delay + self.model.multiple) / self.core

    def process(self, block: Block) -> Block:
        """Return cleaned samples ``(n, channels)``, or ``(n,)`` if `block` is ``(frames,)``; n may be 0."""
        return self._shaped(self.both(block)[1], np.asarray(block).ndim)

    def flush(self) -> Block:
        """Return what is left, ``(n, channels)``, at the end of the sound."""
        return self.both_left()[1]

    def both(self, block: Block) -> tuple[Block, Block]:
        """Return the samples as they were, ``(n, channels)``, and cleaned: the next ones in time, not those given."""
        block = np.asarray(block, np.float32)
        block = block[:, None] if block.ndim == 1 else block
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise MusicaeError(f"blocks must be of {self.channels} channels, not of shape {block.shape}")
        if not (np.abs(block) <= _LOUDEST).all():
            raise MusicaeError("a block has a sample that is no number")
        self._given = np.concatenate([self._given, block])
        return self._paired(self._cleaned(block, last=False))

    def both_left(self) -> tuple[Block, Block]:
        """Return what is left of both, as `both` does, and begin anew."""
        silence = np.zeros((0, self.channels), np.float32)
        made = self._cleaned(silence, last=True)
        missing = len(self._given) - len(made)
        if missing > 0:  # Of what resampling rounds off.
            made = np.concatenate([made, np.zeros((missing, 3 * self.channels), np.float32)])
        pair = self._paired(made[: len(self._given)])
        self.reset()
        return pair

    @staticmethod
    def _shaped(block: Block, axes: int) -> Block:
        return block[:, 0] if axes == 1 else block

    def _cleaned(self, block: Block, last: bool) -> Block:
        """Return the three kinds of samples ``(n, 3 * channels)`` at the outer rate that have come out by now."""
        if self._down is not None:
            block = self._down.resample_chunk(np.ascontiguousarray(block), last=last).reshape(-1, self.channels)
        held = np.concatenate([self._waiting, block])
        grain = self.model.multiple
        count = len(held) // grain * grain
        if last:
            length = len(held)
            more = self.model.delay + -(length + self.model.delay) % grain
            held = np.concatenate([held, np.zeros((more, self.channels), np.float32)])
            count = len(held)
        made = self._model(held[:count]) if count else np.zeros((0, 3 * self.channels), np.float32)
        self._waiting = held[count:]
        if last:
            made = made[: len(made) - (len(held) - length) + self.model.delay]
        skipped = min(self._skip, len(made))
        self._skip -= skipped
        made = made[skipped:]
        if self._up is None:
            return made
        changed: Block = self._up.resample_chunk(np.ascontiguousarray(made), last=last)
        return changed.reshape(-1, 3 * self.channels)

    @torch.no_grad()
    def _model(self, block: Block) -> Block:
        """Run the model on ``(N * multiple, channels)``; what comes out is late by its delay."""
        grain = self.model.multiple
        x = torch.from_numpy(np.ascontiguousarray(block.T))
        params, self._state = self.model.stream(x[:, None].to(self.codec.device), self._state)
        y = self.codec.likelihood.mode(params.float())[:, 0].cpu()
        joined = torch.cat([self._held, x], dim=1)
        late, self._held = joined[:, : x.shape[1]], joined[:, x.shape[1] :]
        # The levels of the upper part of both, a hop at a time, by the difference of neighbouring samples.
        edge = torch.cat([self._last, torch.cat([y, late])], dim=1)
        self._last = edge[:, -1:]
        levels = edge.diff(dim=1).square().view(len(edge), -1, grain).mean(2)
        made, was = levels.chunk(2)
        gain = ((made + _LEAST) / (was + _LEAST)).sqrt().clamp(max=1.0).repeat_interleave(grain, dim=1)
        return np.ascontiguousarray(torch.cat([y, late, gain]).T.numpy())

    def _paired(self, made: Block) -> tuple[Block, Block]:
        count = min(len(made), len(self._given))
        given, self._given = self._given[:count], self._given[count:]
        made = made[:count]
        y, low, gain = (made[:, i * self.channels : (i + 1) * self.channels] for i in range(3))
        if self._up is not None:
            y = y + (given - low) * np.clip(gain, 0.0, 1.0)
        out = y if self.strength == 1 else given + np.float32(self.strength) * (y - given)
        return given, np.ascontiguousarray(out, dtype=np.float32)


def share_kept(codec: Codec, samples: Block, rate: int) -> float:
    """Return how much of samples ``(T,)`` is left when they are cleaned, of the power between 200 and 4,000 Hz.

    It is that of the tenth of all moments in which most is left: a voice stands out of its noise in some, music in few.
    """
    own = int(codec.adapter.rate)  # type: ignore[attr-defined]
    samples = resample(samples, rate, own)
    if not len(samples):
        return 0.0
    made = Denoiser(codec, own)
    cleaned = [made.process(block) for block in np.array_split(samples, max(1, len(samples) // own))]
    before, after = _moments(samples, own), _moments(np.concatenate([*cleaned, made.flush()[:, 0]]), own)
    best = after.argsort()[-math.ceil(len(after) / 10) :]
    return float(after[best].sum() / max(before[best].sum(), _LEAST))


def _moments(samples: Block, rate: int) -> Block:
    """Return the power of voices' band in each tenth of a second."""
    size = rate // 10
    moments = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size) * np.hanning(size).astype(np.float32)
    inside = slice(*(round(edge * size / rate) for edge in _VOICED))
    powers: Block = np.square(np.abs(np.fft.rfft(moments)))[:, inside].sum(1)
    return powers


def _resampler(old: int, new: int, channels: int) -> Any:
    import soxr

    return soxr.ResampleStream(old, new, channels, dtype="float32", quality="HQ") if old != new else None
