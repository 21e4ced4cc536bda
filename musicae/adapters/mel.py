"""Sounds as log-mel spectrograms, which say what is heard and leave the phase out; a phase is found again to write."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core import Sample, Spec
from ..errors import MusicaeError
from .audio import Audio
from .sound import AV_SUFFIXES, SUFFIXES

__all__ = ["Mel"]

_FLOOR, _SCALE = 100.0, 50.0  # A value is (dB + floor) / scale: silence is 0, full scale near 2.
_ONSET = 1e-3  # Of the largest sample: what is before that is cut off, so that all sounds start at their start.
_LEAST = 1e-10


class Mel:
    """Files <-> log-mel spectrograms ``(1, mels, T)``: decibels scaled so that silence is 0.

    A file is mixed to one channel and starts at its first sound; what is shorter than a window is filled up with
    silence. The phase is lost: what is written has one of the Griffin-Lim algorithm, and the file's rate and kind.

    Parameters
    ----------
    rate : in Hz.
    n_fft, hop : of the spectra, in samples.
    mels : bands.
    frames : in a window.
    rounds : of the search for a phase (Griffin and Lim 1984, the fast one of Perraudin, Balazs and Sondergaard 2013).
    louder, shift, stretch : in training, sounds are up to so many dB louder or quieter, moved up or down by so many
        bands, and longer or shorter by such a share.
    """

    suffixes: ClassVar[tuple[str, ...]] = (*SUFFIXES, *AV_SUFFIXES)
    writes: ClassVar[tuple[str, ...]] = SUFFIXES
    default_preset: ClassVar[str] = "drum-sounds"
    default_presets: ClassVar[dict[str, str]] = {"denoise": "", "upscale": ""}
    default_align: ClassVar[str] = "pad"  # Looped, a drum would be struck again before it has faded.

    def __init__(
        self, rate: int = 44_100, n_fft: int = 1024, hop: int = 256, mels: int = 96, frames: int = 176,
        rounds: int = 60, louder: float = 0.0, shift: float = 0.0, stretch: float = 0.0,
    ) -> None:  # fmt: skip
        if min(rate, n_fft, hop, mels, frames) < 1 or hop > n_fft // 2 or rounds < 0:
            raise MusicaeError("[adapter] rate, n_fft, hop, mels and frames must be over 0, hop at most half of n_fft")
        if min(louder, shift) < 0 or not 0 <= stretch < 0.5:
            raise MusicaeError("[adapter] louder and shift must be 0 or more, stretch 0 to 0.5")
        self.rate, self.n_fft, self.hop, self.mels, self.frames = rate, n_fft, hop, mels, frames
        self.rounds, self.louder, self.shift, self.stretch = rounds, louder, shift, stretch

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell whether a file is short enough for a single sound."""
        return not Audio.accepts(path)

    @property
    def spec(self) -> Spec:
        """One channel of mels and frames."""
        return Spec(1, (self.mels, self.frames), "gaussian")

    @property
    def steps_per_second(self) -> float:
        """How many frames are a second, for lengths in words."""
        return self.rate / self.hop

    @cached_property
    def _banks(self) -> Tensor:
        """Return the triangles ``(n_fft / 2 + 1, mels)``."""
        from torchaudio.functional import melscale_fbanks

        banks: Tensor = melscale_fbanks(
            self.n_fft // 2 + 1, 20.0, self.rate / 2, self.mels, self.rate, norm="slaney", mel_scale="slaney"
        )
        return banks * (self.rate / 2 / self.n_fft)

    def analyse(self, x: Tensor) -> Tensor:
        """Return the spectrograms ``(B, 1, mels, T // hop)`` of samples ``(B, T)``."""
        window = torch.hann_window(self.n_fft)
        padded = F.pad(x, (0, self.n_fft))
        spectra = torch.stft(padded, self.n_fft, self.hop, window=window, return_complex=True, pad_mode="constant")
        powers = (spectra[..., : x.shape[1] // self.hop].abs() * (2 / window.sum())).square()
        decibels = 10 * (torch.einsum("bft,fm->bmt", powers, self._banks) + _LEAST).log10()
        return ((decibels + _FLOOR) / _SCALE).clamp_min(0)[:, None]

    def synthesise(self, x: Tensor) -> Tensor:
        """Return samples ``(B, T * hop)`` whose spectrograms are near ``(B, 1, mels, T)``; the same every time."""
        from torchaudio.functional import griffinlim

        decibels = x[:, 0].clamp(0, (_FLOOR + 20) / _SCALE) * _SCALE - _FLOOR
        powers = self._spread((10 ** (decibels / 10) - _LEAST).clamp_min(0))
        window = torch.hann_window(self.n_fft)
        sizes = powers.sqrt() * (window.sum() / 2)
        # Frames of silence at both ends, where the search would else lean on nothing.
        extra = math.ceil(self.n_fft / self.hop)
        sizes = F.pad(sizes, (0, extra))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            found: Tensor = griffinlim(
                sizes, window, self.n_fft, self.hop, self.n_fft, 1.0, self.rounds, 0.99 if self.rounds else 0.0,
                (sizes.shape[-1] - 1) * self.hop, True,
            )  # fmt: skip
        return found[:, : x.shape[-1] * self.hop]

    def _spread(self, bands: Tensor, rounds: int = 50) -> Tensor:
        """Return powers ``(B, F, T)``, none below 0, whose bands are near ``(B, mels, T)`` (Lee and Seung 2001)."""
        banks = self._banks
        weight = banks.sum(1).clamp_min(1e-12)
        found = torch.einsum("bmt,fm->bft", bands, banks / banks.sum(0).clamp_min(1e-12)) + _LEAST
        for _ in range(rounds):
            made = torch.einsum("bft,fm->bmt", found, banks)
            found = found * torch.einsum("bmt,fm->bft", bands / made.clamp_min(1e-14), banks) / weight[:, None]
        return found * (weight[:, None] > 1e-9)

    def read(self, path: Path) -> Sample:
        """Read a whole file. Raise MusicaeError, one line, for anything that cannot be read."""
        read = Audio(self.rate, self.frames * self.hop).read(path)
        samples = read.tensor[0]
        loud = (samples.abs() > _ONSET * samples.abs().max()).nonzero()
        start = int(loud[0]) if len(loud) else 0
        samples = samples[start:]
        if start:
            read.remarks.append(f"it starts after {start / self.rate:.3f} s of silence, which was cut off")
        length = len(samples)
        samples = F.pad(samples, (0, max(0, self.frames * self.hop - length) + -length % self.hop))
        meta = {"kind": read.meta["kind"], "length": length}
        return Sample(self.analyse(samples[None])[0], meta, remarks=read.remarks)

    def write(self, sample: Sample, path: Path) -> None:
        """Write a file, whole or not at all."""
        samples = self.synthesise(sample.tensor[None])
        peak = samples.abs().max()
        samples = samples / peak.clamp_min(1.0)  # Of several that are all as loud as can be.
        meta = {"kind": sample.meta.get("kind") or self.blank()["kind"], "length": None}
        Audio(self.rate).write(Sample(samples, meta), path)

    def blank(self) -> dict[str, Any]:
        """Return that a sound which no file gave is a WAV file of one channel."""
        return Audio(self.rate).blank()

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the kind of the sound with the largest weight."""
        return Audio(self.rate).mix(metas, weights)

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Put sounds one after another."""
        return Audio(self.rate).concat(parts)

    def picture(self, x: Tensor) -> Tensor:
        """Return a spectrogram ``(1, mels, T)`` as a picture: low bands at the bottom, values 0 to 1."""
        return (x / 2).clamp(0, 1).flip(-2)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return spectrograms ``(B, 1, mels, T)`` that are louder or quieter, higher or lower, longer or shorter."""
        n = len(batch)

        def drawn(reach: float) -> Tensor:
            return reach * (2 * torch.rand(n, generator=generator) - 1)

        if self.shift or self.stretch:
            height, width = batch.shape[-2:]
            across = 1 / (1 + drawn(self.stretch))
            matrix = torch.zeros(n, 2, 3)
            matrix[:, 0, 0], matrix[:, 1, 1] = across, 1.0
            matrix[:, 0, 2] = across - 1  # Its start stays where it is.
            matrix[:, 1, 2] = 2 * drawn(self.shift) / height
            grid = F.affine_grid(matrix, [n, 1, height, width], align_corners=False)
            batch = F.grid_sample(batch, grid, padding_mode="border", align_corners=False)
        if self.louder:
            batch = torch.where(batch > 0, batch + drawn(self.louder).view(-1, 1, 1, 1) / _SCALE, batch).clamp_min(0)
        return batch

    def canonical(self, data: Tensor) -> Tensor:
        """Return the spectrograms themselves."""
        return data
