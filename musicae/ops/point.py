"""One place between two or four inputs, for whoever moves a point and wants to see and hear at once what is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.corners import Corners
from musicae.ops.inputs import check_temperature
from musicae.tensors import latent

__all__ = ["Pad", "Place"]

_KNOTS = 9  # Places along each side at which the prior's noise is followed to the codes, as in `walk.between`.


class Place(NamedTuple):
    """A place on a pad: codes ``(N, D)``, their conditions if there are any, and the weight of each corner."""

    codes: Tensor
    cond: Tensor | None
    weights: list[float]


class Pad:
    """What lies between 2 corners, along a line, or 4, in a square: top left, top right, bottom left, bottom right.

    As for `musicae.interpolate`, the way leads through the noise that the prior draws from, along great circles. The
    flow of a prior is smooth and dear: it is followed at the knots of a grid, once, and between these the codes are
    interpolated. Raise MusicaeError for another number of corners.
    """

    def __init__(self, corners: Corners) -> None:
        count = len(corners.samples)
        if count not in (2, 4):
            raise MusicaeError(f"a pad has 2 or 4 corners, not {count}")
        self.corners, self.codec = corners, corners.codec
        flat, conds = corners.codes.flatten(0, 1), torch.cat(corners.conds) if corners.conds else None
        noise = self.codec.to_noise(flat, conds)
        # Following the flow there and back is not quite exact; what it adds at the corners is taken off.
        off = flat - self.codec.from_noise(noise, conds)
        self._noise, self._off = (x.view(corners.codes.shape) for x in (noise, off))
        self._conds = torch.stack(corners.conds) if corners.conds else None
        self._knots: dict[tuple[int, int], Tensor] = {}
        ends = self.codec.decode(flat, cond=conds).view(count, -1, *self.codec.spec.full_shape)
        self.ends = [self.joined(end) for end in ends]

    def at(self, x: float, y: float = 0.0) -> Place:
        """Return the place `x` to the right and `y` down, 0 to 1 each; along a line `y` does not count."""
        weights = _bilinear(x, y) if len(self._noise) == 4 else [1.0 - x, float(x)]
        if self.codec.prior is None:
            codes = self._codes([(x, y)])[0]
        else:
            codes = self._between_knots(x, y if len(self._noise) == 4 else 0.0)
        return Place(codes, self._condition(weights), weights)

    def windows(self, place: Place, temperature: float = 0.0, seed: int = 0) -> Tensor:
        """Return the windows ``(N, C, *S)`` at a place; temperature 0 takes the most probable values, 1 draws them.

        Raise MusicaeError for a temperature below 0.
        """
        check_temperature(temperature)
        return self.codec.decode(place.codes, temperature, seed, place.cond)

    def sample(self, place: Place, windows: Tensor) -> Sample:
        """Return windows at a place as a sample, with the parts that stay as they are in the first corner."""
        first = self.corners.samples[0]
        meta = self.codec.adapter.mix([one.meta for one in self.corners.samples], place.weights)
        made = Sample(self.joined(windows), meta, first.hop)
        if place.cond is not None:
            made.cond = self.codec.join_cond(place.cond, first.hop, first.tensor.shape[-1])
        return self.corners.kept.in_sample(made) if self.corners.kept else made

    def prepare(self) -> None:
        """Follow the prior at all knots, row by row, so that no place has to wait for it; from any thread."""
        if self.codec.prior is None:
            return
        for row in range(_KNOTS if len(self._noise) == 4 else 1):
            self._make([(column, row) for column in range(_KNOTS)])

    def distances(self, made: Sample) -> list[float]:
        """Return how far a sample is from what the codec makes of each corner, 0 to 1.

        Of notes and hits it is the share of places that differ, where velocities do not count; of real values alone,
        the RMS beside that of the two corners that lie farthest apart.
        """
        likelihood = self.codec.likelihood
        ends = torch.stack(self.ends)
        off = likelihood.distance(ends, made.tensor.expand_as(ends))
        if likelihood.averaged(ends.shape[1]).all():
            pairs = [likelihood.distance(ends, one.expand_as(ends)).max() for one in ends]
            off = off / torch.stack(pairs).max().clamp_min(1e-9)
        return [min(1.0, value) for value in off.tolist()]

    def joined(self, windows: Tensor) -> Tensor:
        """Return windows ``(N, C, *S)`` end to end, as long as the corners."""
        first = self.corners.samples[0]
        return self.codec.join(windows, first.hop, first.tensor.shape[-1])

    @property
    def size(self) -> int:
        """How many bytes it takes at most."""
        samples = sum(one.tensor.nbytes for one in self.corners.samples)
        knots = 0 if self.codec.prior is None else _KNOTS ** (len(self._noise) // 2) * self.corners.codes[0].nbytes
        conds = 0 if self._conds is None else 2 * self._conds.nbytes
        return 2 * samples + 3 * self.corners.codes.nbytes + knots + conds

    def _between_knots(self, x: float, y: float) -> Tensor:
        """Return the codes ``(N, D)`` at a place between knots; those that are missing are made together."""
        (left, right, across), (top, bottom, down) = _cell(x), _cell(y)
        needed = [(left, top), (right, top), (left, bottom), (right, bottom)]
        self._make(needed)
        knots = torch.stack([self._knots[one] for one in needed])
        return torch.einsum("k,k...->...", torch.tensor(_bilinear(across, down)), knots)

    def _make(self, knots: Sequence[tuple[int, int]]) -> None:
        """Follow the prior at those of some knots that are not known yet, all together."""
        if missing := sorted({one for one in knots if one not in self._knots}):
            found = self._codes([(i / (_KNOTS - 1), j / (_KNOTS - 1)) for i, j in missing])
            for knot, codes in zip(missing, found, strict=True):
                self._knots[knot] = codes

    def _codes(self, places: list[tuple[float, float]]) -> Tensor:
        """Return the codes ``(places, N, D)`` at places, by way of the prior's noise."""
        noise = torch.stack([latent.inside(self._noise, x, y, spherical=True) for x, y in places])
        off = torch.stack([latent.inside(self._off, x, y) for x, y in places])
        weights = [_bilinear(x, y) if len(self._noise) == 4 else [1.0 - x, float(x)] for x, y in places]
        conds = [self._condition(one) for one in weights]
        cond = torch.cat([one for one in conds if one is not None]) if self._conds is not None else None
        return self.codec.from_noise(noise.flatten(0, 1), cond).view(noise.shape) + off

    def _condition(self, weights: list[float]) -> Tensor | None:
        """Return the conditions ``(N, K)`` or ``(N, K, T)`` with that much of each corner's."""
        if self._conds is None:
            return None
        return torch.einsum("c,c...->...", torch.tensor(weights), self._conds)


def _bilinear(x: float, y: float) -> list[float]:
    x, y = float(x), float(y)
    return [(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x]


def _cell(t: float) -> tuple[int, int, float]:
    """Return the knots before and after, and how far it is from the one to the other."""
    place = t * (_KNOTS - 1)
    before = math.floor(place)
    return before, math.ceil(place), place - before
