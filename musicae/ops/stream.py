"""Restoring a sound that comes in blocks: `Denoiser` and `Upscaler` take blocks of any size and give blocks back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae import threads
from musicae.codec import Codec, load
from musicae.core import State
from musicae.errors import MusicaeError
from musicae.formats.sound.kind import MAX_AMPLITUDE, MAX_RATE, MIN_RATE
from musicae.ops.band_fill import BandFill
from musicae.ops.defaults import nearest_in_rate
from musicae.tensors.dsp import EPS

__all__ = ["BlockRestorer", "Denoiser", "Upscaler", "restores_streams"]

_LARGE = 8  # Frames; in fewer, threads would take longer to start than they save.

Block = NDArray[np.float32]
"""Samples ``(frames, channels)``, full scale at -1 and 1."""


class BlockRestorer(Protocol):
    """What restores a sound block by block. Both results of its methods are ``(n, channels)`` and in time."""

    codec: Codec

    @property
    def out_rate(self) -> int:
        """The rate of what comes out, in Hz."""

    def process_pair(self, block: Block) -> tuple[Block, Block]:
        """Return the next samples, as they were and restored."""

    def flush_pair(self) -> tuple[Block, Block]:
        """Return what is left of both at the end of the sound."""


def restores_streams(codec: Codec) -> bool:
    """Tell whether a codec restores sound of any length: its steps are samples at a rate, and its model streams."""
    return codec.model.streams and codec.adapter.sample_rate > 0


class Denoiser:
    """Denoise a sound block by block.

    Parameters
    ----------
    preset : a name, a checkpoint's path, or a `Codec`, of a model that streams; None for the denoiser whose sample rate
        is nearest to `rate`.
    rate : of the blocks, in Hz. What lies above the model's own band follows what the model does to its upper part.
    channels : each is denoised by itself.
    strength : 1 takes all the noise off that the model finds, 0 none.

    Raises
    ------
    MusicaeError : a preset that does not stream, or numbers out of range.

    The blocks that `process` and at the end `flush` return are together as long as those that went in, sample for
    sample in time with them, and the same whatever the blocks' sizes. `latency` is in seconds.
    """

    def __init__(
        self, preset: Codec | str | None = None, rate: int = 16_000, channels: int = 1, strength: float = 1.0
    ) -> None:
        if not MIN_RATE <= rate <= MAX_RATE:
            raise MusicaeError(f"the rate must be between {MIN_RATE} and {MAX_RATE} Hz, not {rate}")
        if channels < 1:
            raise MusicaeError(f"there must be at least one channel, not {channels}")
        if not 0 <= strength <= 1:
            raise MusicaeError(f"strength must be between 0 and 1, not {strength}")
        if not isinstance(preset, Codec):
            preset = load(nearest_in_rate("denoise", rate) if preset is None else preset)
        if not restores_streams(preset):
            raise MusicaeError(f"the preset '{preset.preset.name}' does not restore sound in blocks; use one that does")
        self.codec, self.rate, self.channels, self.strength = preset, int(rate), channels, strength
        self.model, self.model_rate = preset.model, preset.adapter.sample_rate
        corruption = preset.corruption()
        self._fills = corruption is not None and corruption.factor == 1  # What raises the rate finds the band empty.
        workers = min(channels, threads.free()) if preset.device.type == "cpu" else 1
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        self.reset()

    def reset(self) -> None:
        """Start over, with another sound."""
        self._to_model = _resampler(self.rate, self.model_rate, self.channels)
        # Restored, and where it is resampled, as it was, and the gain for what lies above: these three of each channel.
        self._columns = self.channels if self.rate == self.model_rate else 3 * self.channels
        self._from_model = _resampler(self.model_rate, self.rate, self._columns)
        self._states: list[State] = []  # Of all channels, or where threads share the work of each.
        self._delayed = torch.zeros(2 * self.channels, self.model.delay)  # To come out as late as the model's samples.
        self._last = torch.zeros(2 * self.channels, 1)
        self._fill = BandFill(self.model_rate, self.rate, self.model.multiple, self.channels) if self._fills else None
        self._pending = np.zeros((0, self.channels), np.float32)  # At the model's rate, fewer than it takes at once.
        self._given = np.zeros((0, self.channels), np.float32)  # What has not come out restored yet.
        self._skip = self.model.delay

    @property
    def out_rate(self) -> int:
        """The rate of what comes out, in Hz: that of the blocks."""
        return self.rate

    @property
    def latency(self) -> float:
        """By how many seconds a block is late: the model's delay, and the samples it takes at once."""
        return (self.model.delay + self.model.multiple) / self.model_rate

    def process(self, block: Block) -> Block:
        """Return denoised samples ``(n, channels)``, or ``(n,)`` if `block` is ``(frames,)``; n may be 0."""
        made = self.process_pair(block)[1]
        return made[:, 0] if np.ndim(block) == 1 else made

    def flush(self) -> Block:
        """Return what is left, ``(n, channels)``, at the end of the sound, and start over."""
        return self.flush_pair()[1]

    def process_pair(self, block: Block) -> tuple[Block, Block]:
        """Return samples as they were, ``(n, channels)``, and denoised: the next ones in time, not those given.

        Raise MusicaeError for a block of other channels, or with a sample that is not a number.
        """
        block = np.asarray(block, np.float32)
        block = block[:, None] if block.ndim == 1 else block
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise MusicaeError(f"blocks must be of {self.channels} channels, not of shape {block.shape}")
        if not (np.abs(block) <= MAX_AMPLITUDE).all():  # False for NaN, too.
            raise MusicaeError("a block has a sample that is not a number")
        self._given = np.concatenate([self._given, block])
        return self._pair(self._restored(block, last=False))

    def flush_pair(self) -> tuple[Block, Block]:
        """Return what is left of both, as `process_pair` does, and start over."""
        made = self._restored(np.zeros((0, self.channels), np.float32), last=True)
        missing = len(self._given) - len(made)
        if missing > 0:  # Resampling may round off a few.
            made = np.concatenate([made, np.zeros((missing, self._columns), np.float32)])
        pair = self._pair(made[: len(self._given)])
        self.reset()
        return pair

    def _restored(self, block: Block, last: bool) -> Block:
        """Return the samples ``(n, columns)`` at the outer rate that have come out by now."""
        if self._to_model is not None:
            block = self._to_model.resample_chunk(np.ascontiguousarray(block), last=last).reshape(-1, self.channels)
        pending = np.concatenate([self._pending, block])
        grain = self.model.multiple
        count = len(pending) // grain * grain
        if last:
            length = len(pending)
            more = self.model.delay + -(length + self.model.delay) % grain
            pending = np.concatenate([pending, np.zeros((more, self.channels), np.float32)])
            count = len(pending)
        made = self._run_model(pending[:count]) if count else np.zeros((0, self._columns), np.float32)
        self._pending = pending[count:]
        if last:
            made = made[: len(made) - (len(pending) - length) + self.model.delay]
        skipped = min(self._skip, len(made))
        self._skip -= skipped
        made = made[skipped:]
        if self._from_model is None:
            return made
        resampled: Block = self._from_model.resample_chunk(np.ascontiguousarray(made), last=last)
        return resampled.reshape(-1, self._columns)

    def _restored_by_model(self, x: Tensor) -> Tensor:
        """Return what the model makes of ``(channels, N * multiple)``, of large blocks by a thread for each channel."""
        is_large = x.shape[1] >= _LARGE * self.model.multiple
        run = self._pool.map if self._pool is not None and is_large else map
        if not self._states:  # The size of the first block is taken for that of the others.
            parts = 1 if run is map else self.channels
            self._states = [self.model.initial_state(self.channels // parts) for _ in range(parts)]
        parts = len(self._states)
        return torch.cat(list(run(self._lane, range(parts), x.chunk(parts))))

    @torch.inference_mode()  # Faster than no_grad in small steps.
    def _lane(self, number: int, x: Tensor) -> Tensor:
        with threads.suited(0):  # Small steps, one after another: threads would only wait for each other.
            params, self._states[number] = self.model.stream(x[:, None].to(self.codec.device), self._states[number])
            return self.codec.likelihood.mode(params.float())[:, 0].cpu()

    @torch.inference_mode()
    def _run_model(self, block: Block) -> Block:
        """Run the model on ``(N * multiple, channels)``; what comes out is late by its delay."""
        grain = self.model.multiple
        x = torch.from_numpy(np.ascontiguousarray(block.T))
        filled = x if self._fill is None else self._fill(x)
        y = self._restored_by_model(filled)
        if self._from_model is None:
            return np.ascontiguousarray(y.T.numpy())
        joined = torch.cat([self._delayed, torch.cat([x, filled])], dim=1)
        both, self._delayed = joined[:, : x.shape[1]], joined[:, x.shape[1] :]
        late, full = both.chunk(2)
        # The levels of the upper part of both, a hop at a time, by the difference of neighbouring samples.
        edge = torch.cat([self._last, torch.cat([y, full])], dim=1)
        self._last = edge[:, -1:]
        levels = edge.diff(dim=1).square().view(len(edge), -1, grain).mean(2)
        after, before = levels.chunk(2)
        gain = ((after + EPS) / (before + EPS)).sqrt().clamp(max=1.0).repeat_interleave(grain, dim=1)
        return np.ascontiguousarray(torch.cat([y, late, gain]).T.numpy())

    def _pair(self, made: Block) -> tuple[Block, Block]:
        count = min(len(made), len(self._given))
        given, self._given = self._given[:count], self._given[count:]
        made = made[:count]
        y, low, gain = (made[:, i * self.channels : (i + 1) * self.channels] for i in range(3))
        if self._from_model is not None:
            y = y + (given - low) * np.clip(gain, 0.0, 1.0)
        out = y if self.strength == 1 else given + np.float32(self.strength) * (y - given)
        return given, np.ascontiguousarray(out, dtype=np.float32)


class Upscaler:
    """Raise a sound's rate by a preset's factor block by block, its band filled up; what is there already stays.

    `rate` is that of the blocks given, in Hz; those returned are at ``factor * rate``, and together exactly `factor`
    times as long. Raise MusicaeError for a preset that does not upscale.
    """

    def __init__(self, codec: Codec, rate: int, channels: int = 1) -> None:
        corruption = codec.corruption()
        if corruption is None or corruption.factor == 1:
            raise MusicaeError(f"the preset '{codec.preset.name}' does not upscale; choose another")
        self.codec, self.factor, self.channels = codec, corruption.factor, channels
        if not MIN_RATE <= rate <= MAX_RATE // self.factor:
            raise MusicaeError(
                f"sound of {MIN_RATE} to {MAX_RATE // self.factor} Hz can be upscaled by {self.factor}, not {rate} Hz"
            )
        # The model takes the samples as if they were at its own rate, whatever that is.
        self._inner = Denoiser(codec, codec.adapter.sample_rate, channels)
        self._resampler = _resampler(rate, self.factor * rate, channels, "VHQ")
        self._rate, self._missing = rate, 0  # Missing are samples to come out yet.

    @property
    def out_rate(self) -> int:
        """The rate of what comes out, in Hz."""
        return self.factor * self._rate

    def process_pair(self, block: Block) -> tuple[Block, Block]:
        """Return samples at the new rate, ``(n, channels)``: resampled, and restored as well."""
        self._missing += self.factor * len(block)
        given, made = self._inner.process_pair(self._resampler.resample_chunk(block).reshape(-1, self.channels))
        self._missing -= len(made)
        return given, made

    def flush_pair(self) -> tuple[Block, Block]:
        """Return what is left of both at the end of the sound."""
        rest = self._resampler.resample_chunk(np.zeros((0, self.channels), np.float32), last=True)
        pairs = self._inner.process_pair(rest.reshape(-1, self.channels)), self._inner.flush_pair()
        given, made = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        return self._fitted(given), self._fitted(made)

    def _fitted(self, block: Block) -> Block:
        """Return a last block as long as it must be: resampling rounds."""
        return np.pad(block, ((0, max(0, self._missing - len(block))), (0, 0)))[: max(0, self._missing)]


def _resampler(old: int, new: int, channels: int, quality: str = "HQ") -> Any:
    import soxr

    return soxr.ResampleStream(old, new, channels, dtype="float32", quality=quality) if old != new else None
