"""Corruptions of sounds ``(B, C, T)``."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core import Windows
from ..errors import MusicaeError
from ..waves import equalise, power, unit
from . import noises

__all__ = ["BandLimit", "Clip", "LowPass", "MixNoise", "Reverberate"]

_LEAST = 1e-10
_CLEAN = 60.0  # Decibels between a sound that counts as clean and its noise.


class MixNoise:
    """Mix noise in, of another kind and level for each example.

    Parameters
    ----------
    rate : of the samples, in Hz.
    low, high : the signal-to-noise ratio is drawn evenly from between, in dB.
    clean : the share of examples that are cleaner than `high`, up to 60 dB.
    recorded, coloured, babble, hum, crackle : how often each kind is drawn, in proportion: recorded noise filtered at
        random, coloured noise, several voices of the training data at once, mains hum, and clicks; the kinds that have
        been told to sway or to beat are the first two.
    second : the share of examples with a second noise.

    `feed` gives it the recordings. Without, it has no recorded noise, and voices are those of the same batch.
    """

    def __init__(
        self, rate: int = 16_000, low: float = -5.0, high: float = 15.0, clean: float = 0.05, recorded: float = 0.45,
        coloured: float = 0.25, babble: float = 0.15, hum: float = 0.05, crackle: float = 0.05, second: float = 0.25,
    ) -> None:  # fmt: skip
        if rate < 1 or not low <= high:
            raise MusicaeError(f"[corruption] rate must be over 0 and low not over high, not {rate}, {low} and {high}")
        shares = [recorded, coloured, babble, hum, crackle]
        if min(shares) < 0 or coloured + babble + hum + crackle <= 0:
            raise MusicaeError("[corruption] the shares of noises must be 0 or more, and one besides recorded over 0")
        self.rate, self.low, self.high, self.clean, self.second = rate, low, high, clean, second
        self.shares = torch.tensor(shares)
        self._voices: Windows | None = None
        self._noises: Windows | None = None

    def feed(self, windows: Windows, noises: Windows | None) -> None:
        """Take voices for babble from `windows`, the training data, and recorded noise from `noises`, if any."""
        self._voices, self._noises = windows, noises

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with noise."""
        clean = batch.flatten(2).flatten(0, 1)
        noise = self._noise(clean, generator)
        again = self._noise(clean, generator) * 10 ** (-self._between(len(clean), 0.0, 12.0, generator) / 20)
        noise = torch.where(torch.rand(len(clean), 1, generator=generator) < self.second, noise + again, noise)
        ratio = self._between(len(clean), self.low, self.high, generator)
        untouched = torch.rand(len(clean), 1, generator=generator) < self.clean
        ratio = torch.where(untouched, self._between(len(clean), self.high, _CLEAN, generator), ratio)
        level = (power(clean)[:, None] + _LEAST).sqrt() * 10 ** (-ratio / 20)
        return (clean + unit(noise) * level).view(batch.shape)

    @staticmethod
    def _between(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, generator=generator)

    def _noise(self, clean: Tensor, generator: torch.Generator) -> Tensor:
        """Return a noise for each of ``(n, T)``."""
        n, length = clean.shape
        shares = self.shares.clone()
        if self._noises is None:
            shares[0] = 0.0
        kinds = torch.multinomial(shares, n, replacement=True, generator=generator)
        out = torch.zeros_like(clean)
        for kind in sorted(set(kinds.tolist())):
            here = (kinds == kind).nonzero().squeeze(1)
            out[here] = self._kind(kind, len(here), clean, length, generator)
        return out

    def _kind(self, kind: int, n: int, clean: Tensor, length: int, generator: torch.Generator) -> Tensor:
        if kind == 0 and self._noises is not None:
            found = _draw(self._noises, n, length, generator, spread=0.4)
            return noises.modulate(equalise(found, generator, tilt=3.0), self.rate, generator)
        if kind == 1:
            return noises.modulate(noises.coloured(n, length, self.rate, generator), self.rate, generator)
        if kind == 2:
            count = int(torch.randint(3, 9, (), generator=generator))
            voices = [
                clean[torch.randint(len(clean), (n,), generator=generator)]
                if self._voices is None
                else _draw(self._voices, n, length, generator)
                for _ in range(count)
            ]
            return noises.babble(torch.stack(voices), generator)
        if kind == 3:
            return noises.hum(n, length, self.rate, generator)
        return noises.crackle(n, length, self.rate, generator)


class BandLimit:
    """Take away what is above a share of the band, 1 / `factor`, with another edge for each example.

    A real resampler's filter falls off somewhere below that, steeply or not: a network that has seen only one fails on
    the others. The gain is 1 up to a place between `low` and `high` (1 is the share of the band), and 0 from one on
    that is between there and `beyond`.
    """

    def __init__(self, factor: int = 2, low: float = 0.8, high: float = 0.98, beyond: float = 1.02) -> None:
        if factor < 2:
            raise MusicaeError(f"[corruption] factor must be 2 or more, not {factor}")
        if not 0 < low <= high <= beyond:
            raise MusicaeError(f"[corruption] low, high and beyond must rise from 0, not {low}, {high} and {beyond}")
        self.factor, self.low, self.high, self.beyond = factor, low, high, beyond

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` without what is above the edge along ``*S``, taken as one axis."""
        start = self.low + (self.high - self.low) * torch.rand(len(batch), 1, 1, generator=generator)
        end = start + (self.beyond - start) * torch.rand(len(batch), 1, 1, generator=generator)
        return _without_above(batch, start / self.factor, end / self.factor)


class LowPass:
    """Take away what is above an edge, drawn for each example evenly over the octaves, as lossy encoders do.

    The gain is 1 up to the edge, which is between `low` and `high` Hz at `rate`, and 0 from a twentieth above it on.
    """

    def __init__(self, rate: int = 16_000, low: float = 3000.0, high: float = 8000.0) -> None:
        if not 0 < low <= high or rate < 1:
            raise MusicaeError(f"[corruption] rate must be over 0, and low and high rise from 0, not {low} and {high}")
        self.rate, self.low, self.high = rate, low, high

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` without what is above the edge along ``*S``, taken as one axis."""
        drawn = torch.rand(len(batch), 1, 1, generator=generator)
        edge = self.low * (self.high / self.low) ** drawn / (self.rate / 2)
        return _without_above(batch, edge, 1.05 * edge)


class Clip:
    """Cut the peaks off, as what records too loud does: what is beyond a level stays at it.

    The level is drawn for each example, between `low` and `high` dB below its largest sample.
    """

    def __init__(self, low: float = 3.0, high: float = 20.0) -> None:
        if not 0 <= low <= high:
            raise MusicaeError(f"[corruption] low and high must rise from 0 dB, not {low} and {high}")
        self.low, self.high = low, high

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` without its peaks."""
        flat = batch.flatten(1)
        down = self.low + (self.high - self.low) * torch.rand(len(batch), 1, generator=generator)
        level = flat.abs().amax(1, keepdim=True) * 10 ** (-down / 20)
        return flat.clamp(-level, level).view(batch.shape)


class Reverberate:
    """Put each example into a room of its own: its echoes are noise that decays (Moorer 1979).

    Parameters
    ----------
    rate : of the samples, in Hz.
    shortest, longest : the seconds in which echoes fall by 60 dB are drawn from between, evenly over the octaves.
    near, far : how many dB the sound itself is above its echoes: drawn evenly between `far` and `near`.
    """

    def __init__(
        self, rate: int = 16_000, shortest: float = 0.15, longest: float = 1.2, near: float = 15.0, far: float = -3.0
    ) -> None:
        if rate < 1 or not 0 < shortest <= longest or far > near:
            raise MusicaeError(
                "[corruption] rate and shortest must be over 0, longest not under it, near not under far"
            )
        self.rate, self.shortest, self.longest, self.near, self.far = rate, shortest, longest, near, far

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with echoes; all channels of an example are in one room."""
        n, flat = len(batch), batch.flatten(2)
        drawn = torch.rand(3, n, 1, generator=generator)
        decay = self.shortest * (self.longest / self.shortest) ** drawn[0]
        first = 0.002 + 0.018 * drawn[1]  # Seconds to the first wall and back.
        ratio = self.far + (self.near - self.far) * drawn[2]
        time = torch.arange(max(1, round(self.longest * self.rate))) / self.rate
        echoes = torch.randn(n, len(time), generator=generator) * 10 ** (-3 * (time - first) / decay) * (time >= first)
        echoes = echoes * (10 ** (-ratio / 10) / echoes.square().sum(1, keepdim=True).clamp_min(_LEAST)).sqrt()
        size = flat.shape[-1] + len(time)
        added: Tensor = torch.fft.irfft(torch.fft.rfft(flat, n=size) * torch.fft.rfft(echoes, n=size)[:, None], n=size)
        return (flat + added[..., : flat.shape[-1]]).view(batch.shape)


def _without_above(batch: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return ``(B, C, *S)`` with a gain that falls from 1 to 0 between shares of the band ``(B, 1, 1)``."""
    flat = batch.flatten(2)
    length = flat.shape[-1]
    spectra = torch.fft.rfft(flat)
    place = torch.arange(spectra.shape[-1]) / (length / 2)
    fall = ((place - start) / (end - start).clamp_min(5e-4)).clamp(0, 1)
    limited: Tensor = torch.fft.irfft(spectra * (0.5 + 0.5 * torch.cos(torch.pi * fall)), n=length)
    return limited.view(batch.shape)


def _draw(windows: Windows, n: int, length: int, generator: torch.Generator, spread: float = 0.0) -> Tensor:
    """Return `n` windows as ``(n, length)``, of pieces drawn evenly, from random places on.

    Those that are shorter go round. Each is played faster or slower by up to `spread`, in logarithms, and with that
    half of them backwards.
    """
    pieces = windows.pieces.long()
    counts = torch.bincount(pieces, minlength=1)
    first = counts.cumsum(0) - counts  # The windows of a piece lie together.
    chosen = torch.multinomial((counts > 0).float(), n, replacement=True, generator=generator)
    place = first[chosen] + (torch.rand(n, generator=generator) * counts[chosen]).long().clamp(max=counts[chosen] - 1)
    found = windows.batch(place)[:, 0]
    size = found.shape[1]
    room = max(1, size - length + 1)
    start = torch.randint(room, (n, 1), generator=generator)
    if not spread:
        return found.gather(1, (start + torch.arange(length)) % size)
    step = torch.exp(spread * (2 * torch.rand(n, 1, generator=generator) - 1))
    step = torch.where(torch.rand(n, 1, generator=generator) < 0.5, -step, step)
    at = start + step * torch.arange(length)
    low = at.floor()
    share = (at - low).to(found)
    low = low.long()
    return found.gather(1, low % size) * (1 - share) + found.gather(1, (low + 1) % size) * share
