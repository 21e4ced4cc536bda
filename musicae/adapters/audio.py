"""Sounds: samples of one channel at the preset's rate, from files of any rate and number of channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..core import Sample, Spec
from ..errors import MusicaeError
from ..waves import decibels, equalise, magnitudes, power
from .sound import AV_SUFFIXES, SUFFIXES, Block, Kind, kind_like, kind_of, reading, writing

__all__ = ["Audio"]

_QUIET = 1e-8
_N_FFT, _COLUMNS, _RANGE = 1024, 1000, 80.0  # Of a picture: samples, at most about so many, dB.
_SHORT = 2.0  # Seconds up to which a file counts as a single sound.


class Audio:
    """Files <-> samples ``(1, T)`` in -1 .. 1 at `rate`; the channels of a file are mixed to one.

    What is written has the rate, the channels (all alike), the subtype and the length of what was read.

    Parameters
    ----------
    rate : in Hz.
    size : samples in a window.
    speed : in training, sounds are played faster or slower by up to this share, which changes their pitch as well.
    tilt, bumps : in training, sounds are filtered at random, as other voices and microphones would: up to `tilt` dB an
        octave up or down, and bumps of a deviation of `bumps` dB.
    quietest, loudest : in training, sounds are brought to a level between, in dB of full scale (root mean square);
        both 0 leaves them as they are.
    """

    suffixes: ClassVar[tuple[str, ...]] = (*SUFFIXES, *AV_SUFFIXES)
    writes: ClassVar[tuple[str, ...]] = SUFFIXES
    default_preset: ClassVar[str] = "sound"
    default_presets: ClassVar[dict[str, str]] = {"denoise": "denoise", "upscale": "upscale-audio"}

    def __init__(
        self, rate: int = 16_000, size: int = 32_000, speed: float = 0.0, quietest: float = 0.0, loudest: float = 0.0,
        tilt: float = 0.0, bumps: float = 0.0,
    ) -> None:  # fmt: skip
        if min(rate, size) < 1 or not 0 <= speed < 0.5 or quietest > loudest or min(tilt, bumps) < 0:
            raise MusicaeError(
                "[adapter] rate and size must be over 0, speed 0 to 0.5, quietest not over loudest, tilt and bumps "
                f"0 or more, not {rate}, {size}, {speed}, {quietest}, {loudest}, {tilt} and {bumps}"
            )
        self.rate, self.size, self.speed, self.quietest, self.loudest = rate, size, speed, quietest, loudest
        self.tilt, self.bumps = tilt, bumps

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell whether a file is too long for a single sound. Raise MusicaeError as `read` does."""
        with reading(path) as file:
            short = round(_SHORT * file.kind.rate)
            if file.length is not None:
                return file.length > short
            return sum(len(block) for block in islice(file.blocks(short), 2)) > short

    @property
    def spec(self) -> Spec:
        """One channel of samples."""
        return Spec(1, (self.size,), "gaussian")

    def read(self, path: Path) -> Sample:
        """Read a whole file. Raise MusicaeError, one line, for anything that cannot be read."""
        with reading(path) as file:
            kind = file.kind
            mono = np.concatenate([block.mean(1) for block in file.blocks()] or [np.zeros(0, np.float32)])
            remarks = list(file.remarks)
        if not len(mono):
            raise MusicaeError(f"{path} has no samples in it")
        if kind.channels > 1:
            remarks.append(f"{kind.channels} channels were mixed to one")
        if kind.rate != self.rate:
            remarks.append(f"{kind.rate} Hz became {self.rate} Hz")
        meta = {"kind": asdict(kind), "length": len(mono)}
        return Sample(torch.from_numpy(resample(mono, kind.rate, self.rate))[None], meta, remarks=remarks)

    @property
    def steps_per_second(self) -> int:
        """How many samples are a second, for lengths in words."""
        return self.rate

    @staticmethod
    def rate_of(path: Path) -> int:
        """Return the rate of a file in Hz. Raise MusicaeError as `read` does."""
        with reading(path) as file:
            return file.kind.rate

    @staticmethod
    def excerpt(path: Path, seconds: float) -> tuple[Block, int]:
        """Return up to `seconds` of a file, without silence: of its louder channel, ``(T,)``, and its rate.

        They are of its first five minutes; T may be 0. Raise MusicaeError as `read` does.
        """
        found: list[Block] = []
        with reading(path) as file:
            rate = file.kind.rate
            missing = round(seconds * rate)
            for block in islice(file.blocks(max(1, rate // 2)), 600):
                powers = np.square(block).mean(0)
                if powers.max() > _QUIET:
                    found.append(block[:missing, powers.argmax()])
                    missing -= len(found[-1])
                if missing <= 0:
                    break
        return np.concatenate(found or [np.zeros(0, np.float32)]), rate

    def write(self, sample: Sample, path: Path) -> None:
        """Write a file, whole or not at all."""
        kind = kind_like(kind_of(sample.meta.get("kind") or self.blank()["kind"]), path)
        samples = resample(sample.tensor[0].numpy(), self.rate, kind.rate)
        length = int(sample.meta.get("length") or 0)
        # Of the same length up to what resampling rounds: then exactly so.
        if length and abs(length - len(samples)) <= 2 * max(1, kind.rate // self.rate + 1):
            samples = np.pad(samples, (0, max(0, length - len(samples))))[:length]
        if not kind.exact:  # What is made here is the preset's own level, not the file's: nothing is cut off.
            samples = samples / max(1.0, float(np.abs(samples).max(initial=0.0)))
        with writing(path, kind) as file:
            file.write(np.repeat(samples[:, None], kind.channels, axis=1))

    def blank(self) -> dict[str, Any]:
        """Return that a sound which no file gave is a WAV file of one channel."""
        return {"kind": asdict(Kind(self.rate, 1)), "length": None}

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the kind of the sound with the largest weight."""
        return {"kind": metas[max(range(len(metas)), key=lambda i: weights[i])]["kind"], "length": None}

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Put sounds one after another."""
        if not parts:
            raise MusicaeError("there is nothing to put together")
        kind = parts[0].meta.get("kind") or self.blank()["kind"]
        return Sample(torch.cat([part.tensor for part in parts], dim=-1), {"kind": kind, "length": None}, parts[0].hop)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return ``(B, 1, size)``: a part at random of each sound, at another speed, filtered, at another level."""
        length = batch.shape[-1]
        wanted = self.size
        if self.speed and length > self.size:
            factor = 1 + self.speed * (2 * torch.rand((), generator=generator).item() - 1)
            wanted = min(length, round(self.size * factor))
        if length > wanted:
            start = torch.randint(length - wanted + 1, (len(batch), 1, 1), generator=generator)
            batch = batch.gather(2, (start + torch.arange(wanted)).expand(-1, batch.shape[1], -1))
        if wanted != self.size:
            batch = F.interpolate(batch[:, :, None], size=(1, self.size), mode="bicubic", align_corners=False)[:, :, 0]
        if self.tilt or self.bumps:
            level = power(batch)[..., None].sqrt()
            batch = level * equalise(batch[:, 0], generator, self.tilt, self.bumps)[:, None]
        if self.quietest or self.loudest:
            level = self.quietest + (self.loudest - self.quietest) * torch.rand(len(batch), 1, 1, generator=generator)
            batch = batch * (10 ** (level / 20) * (power(batch)[..., None] + _QUIET).rsqrt())
        return batch

    def picture(self, tensor: Tensor) -> Tensor:
        """Return a spectrogram ``(1, F, columns)`` of ``(1, T)``: low bands at the bottom, from 0, 80 dB down, to 1."""
        hop = max(_N_FFT // 4, -(-tensor.shape[-1] // _COLUMNS))
        powers = magnitudes(tensor[0], _N_FFT, hop).square()
        levels = decibels(powers / powers.max().clamp_min(_QUIET))
        return (1 + levels / _RANGE).clamp(0, 1).flip(0)[None]

    def canonical(self, data: Tensor) -> Tensor:
        """Return the samples themselves."""
        return data

    def pieces(self, path: Path) -> Iterator[Block]:
        """Go through a file as mono samples at the preset's rate, in blocks, for data sets."""
        import soxr

        with reading(path) as file:
            change = soxr.ResampleStream(file.kind.rate, self.rate, 1, dtype="float32")
            for block in file.blocks():
                yield change.resample_chunk(block.mean(1))
            yield change.resample_chunk(np.zeros(0, np.float32), last=True)


def resample(samples: Block, old: int, new: int) -> Block:
    """Return samples ``(T,)`` or ``(T, channels)`` at another rate, ``ceil(T * new / old)`` or thereabouts of them."""
    if old == new:
        return samples
    import soxr

    changed: Block = soxr.resample(samples, old, new)
    return changed
