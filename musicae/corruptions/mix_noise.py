"""Noise mixed into sounds."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Corruption, Windows
from musicae.errors import MusicaeError
from musicae.ranges import Decibels, SampleRate, Share, Weight
from musicae.tensors import noises
from musicae.tensors.dsp import NOISE_FLOOR, equalise, power, uniform, unit

__all__ = ["MixNoise"]

_MAX_CLEAN_SNR_DB = 60.0  # Of the examples that count as clean.
_MAX_SECOND_DB = 12.0  # How much quieter a second noise is than the first, at most.
_SPEED_RANGE = 0.4  # Of recorded noise: the natural logarithm of the speed is between minus this and this.
_NOISE_TILT_DB = 3.0  # Most dB an octave of the random filter for recorded noise.


class MixNoise(Corruption):
    """Mix in noise, of a random kind and level for each example.

    `feed` gives it recordings. Without them, recorded noise is never drawn, and babble is of voices in the same batch.

    Parameters
    ----------
    sample_rate : in Hz.
    min_snr_db, max_snr_db : range of the signal-to-noise ratio, uniform.
    clean_share : share of the examples that are cleaner than `max_snr_db`, up to 60 dB.
    recorded, coloured, babble, hum, crackle : relative frequency of each kind: recorded noise, filtered at random;
        coloured noise; several voices of the training data at once; mains hum; clicks. The first two are modulated at
        random.
    second_share : share of the examples that get a second noise.
    """

    def __init__(
        self,
        sample_rate: SampleRate = 16_000,
        min_snr_db: Decibels = -5.0,
        max_snr_db: Decibels = 15.0,
        clean_share: Share = 0.05,
        recorded: Weight = 0.45,
        coloured: Weight = 0.25,
        babble: Weight = 0.15,
        hum: Weight = 0.05,
        crackle: Weight = 0.05,
        second_share: Share = 0.25,
    ) -> None:
        if sample_rate < 1 or not min_snr_db <= max_snr_db:
            raise MusicaeError(
                "[corruption] sample_rate must be over 0 and max_snr_db not below min_snr_db, "
                f"not {sample_rate}, {max_snr_db} and {min_snr_db}"
            )
        shares = [recorded, coloured, babble, hum, crackle]
        if min(shares) < 0 or sum(shares[1:]) <= 0:
            raise MusicaeError(
                "[corruption] the shares of noises must be 0 or more, and over 0 for one other than recorded"
            )
        self.sample_rate, self.min_snr_db, self.max_snr_db = sample_rate, min_snr_db, max_snr_db
        self.clean_share, self.second_share = clean_share, second_share
        self.shares = torch.tensor(shares)
        self._voices: Windows | None = None
        self._noises: Windows | None = None

    def feed(self, windows: Windows, noises: Windows | None) -> None:
        """Take voices for babble from the training data, and recorded noise, if there is any."""
        self._voices, self._noises = windows, noises

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with noise."""
        clean = batch.flatten(2).flatten(0, 1)
        n = len(clean)
        noise = self._noise(clean, generator)
        second = self._noise(clean, generator) * 10 ** (-uniform((n, 1), 0.0, _MAX_SECOND_DB, generator) / 20)
        noise = torch.where(torch.rand(n, 1, generator=generator) < self.second_share, noise + second, noise)
        ratio = uniform((n, 1), self.min_snr_db, self.max_snr_db, generator)
        is_clean = torch.rand(n, 1, generator=generator) < self.clean_share
        ratio = torch.where(is_clean, uniform((n, 1), self.max_snr_db, _MAX_CLEAN_SNR_DB, generator), ratio)
        level = (power(clean)[:, None] + NOISE_FLOOR).sqrt() * 10 ** (-ratio / 20)
        return (clean + unit(noise) * level).view(batch.shape)

    def _noise(self, clean: Tensor, generator: torch.Generator) -> Tensor:
        """Return a noise for each of ``(n, T)``."""
        n, length = clean.shape
        shares = self.shares.clone()
        if self._noises is None:
            shares[0] = 0.0
        kinds = torch.multinomial(shares, n, replacement=True, generator=generator)
        out = torch.zeros_like(clean)
        for kind in sorted(set(kinds.tolist())):
            rows = (kinds == kind).nonzero().squeeze(1)
            out[rows] = self._noise_of(kind, len(rows), clean, length, generator)
        return out

    def _noise_of(self, kind: int, n: int, clean: Tensor, length: int, generator: torch.Generator) -> Tensor:
        """Return `n` noises of one kind, numbered as in `shares`, as ``(n, length)``."""
        rate = self.sample_rate
        if kind == 0 and self._noises is not None:
            recording = _draw(self._noises, n, length, generator, _SPEED_RANGE)
            return noises.modulate(equalise(recording, generator, tilt=_NOISE_TILT_DB), rate, generator)
        if kind == 1:
            return noises.modulate(noises.coloured(n, length, rate, generator), rate, generator)
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
            return noises.hum(n, length, rate, generator)
        return noises.crackle(n, length, rate, generator)


def _draw(windows: Windows, n: int, length: int, generator: torch.Generator, speed_range: float = 0.0) -> Tensor:
    """Return excerpts ``(n, length)`` of windows, from pieces drawn uniformly, each from a random place.

    Short windows are looped. With a `speed_range` each is played at a random speed, whose natural logarithm is between
    its negative and itself, and half of them backwards.
    """
    pieces = windows.pieces.long()
    counts = torch.bincount(pieces, minlength=1)
    first = counts.cumsum(0) - counts  # The windows of a piece are consecutive.
    chosen = torch.multinomial((counts > 0).float(), n, replacement=True, generator=generator)
    index = first[chosen] + (torch.rand(n, generator=generator) * counts[chosen]).long().clamp(max=counts[chosen] - 1)
    excerpts = windows.batch(index)[:, 0]
    size = excerpts.shape[1]
    room = max(1, size - length + 1)
    start = torch.randint(room, (n, 1), generator=generator)
    if not speed_range:
        return excerpts.gather(1, (start + torch.arange(length)) % size)
    step = torch.exp(speed_range * (2 * torch.rand(n, 1, generator=generator) - 1))
    step = torch.where(torch.rand(n, 1, generator=generator) < 0.5, -step, step)
    at = start + step * torch.arange(length)
    low = at.floor()
    share = (at - low).to(excerpts)
    low = low.long()
    return excerpts.gather(1, low % size) * (1 - share) + excerpts.gather(1, (low + 1) % size) * share
