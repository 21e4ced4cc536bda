"""Codes that are moved until what they stand for has other attributes: decode, measure, correct."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.ops.attributes import Fitted
from musicae.tensors.random import generator

__all__ = ["Moved", "Mover"]

_SIZES = (0.25, 0.5, 0.75, 1.0, 1.4, 2.0, 3.0, 4.5)  # Of the straight step, of which the best is taken.
_CORRECTIONS = (0.3, 0.7, 1.2)  # Of what is missing after that.
_QUICK_SIZES, _QUICK_CORRECTIONS = (0.5, 1.0, 1.6, 2.6), (0.5, 1.2)  # The same where there is no time for more.
_NEAR_ENOUGH = 0.2  # Deviations off, up to which no more is tried there.
_ROUNDS, _MOST_ROUNDS = 2, 5  # Of looking around the best place so far; the latter while what is asked for is missed.
_MOST_TRIES, _FEWEST_TRIES, _TRIES = 32, 8, 4096  # Places around it: for a window, and for all of them about.
_NEAR, _WIDE = 0.1, 0.5  # How far from it the nearest and the farthest of them lie, in deviations of the codes.
_WIDER = 1.3  # Factor by which they lie farther in each further round.
_STEP = 1.0  # The most that an attribute is moved at once.
_OTHERS_COST = 0.4  # Of the mean square by which the others change, beside that of what is asked for.
_CHANGE_COST = 0.15  # Of the share of the steps that change.
_LOST_COST = 3.0  # Deviations that an attribute counts as off where it has lost its meaning.
_SAME = 0.02  # Deviations off what is asked for, up to which a window is left as it is.
_GOOD, _MISSED = 0.02, 0.16  # Cost at which no better place is looked for, and over which what is asked for is missed.
_VALUES_AT_ONCE = 15_000_000


@dataclass(frozen=True)
class Moved:
    """Moved windows: their codes ``(N, D)``, what is decoded ``(N, C, *S)``, and its attributes ``(N, K)``."""

    codes: Tensor
    windows: Tensor
    values: Tensor

    def at(self, index: Tensor) -> Moved:
        """Return some of the windows."""
        return Moved(self.codes[index], self.windows[index], self.values[index])

    def with_rows(self, index: Tensor, new: Moved) -> Moved:
        """Return all windows, those at `index` replaced."""
        return Moved(*(old.index_copy(0, index, its) for old, its in _pairs(self, new)))


class Mover:
    """Changes attributes of windows ``(N, C, *S)`` by moving their codes; their conditions stay.

    Where values are right or wrong, the windows themselves are what is compared with; of real values, which all differ
    a little, what the codec reconstructs. Channels in `kept`, bool ``(C, 1 ..., 1)``, stay as they are.
    `own` ``(N, K)`` are the windows' attributes, `base` those of what is compared with. Of windows that were decoded
    from `codes` ``(N, D)`` these are known.
    """

    def __init__(
        self,
        codec: Codec,
        fitted: Fitted,
        x: Tensor,
        cond: Tensor | None = None,
        kept: Tensor | None = None,
        seed: int = 0,
        codes: Tensor | None = None,
    ) -> None:
        self.codec, self.fitted, self.cond, self.kept, self.seed = codec, fitted, cond, kept, seed
        self.x = x
        self.own = fitted.values(codec, x)
        if codes is not None:
            self.reference, self.base, self.start = x, self.own, Moved(codes, x, self.own)
            return
        codes = codec.encode(x, cond, refine=True).mean
        made = self._decode(codes, torch.arange(len(x)))
        self.reference = x if codec.likelihood.discrete else made
        self.base = self.own if self.reference is x else fitted.values(codec, self.reference)
        self.start = Moved(codes, made, fitted.values(codec, made))

    def to(self, asked: Tensor, start: Moved | None = None, report: Callable[[int, int], None] | None = None) -> Moved:
        """Return the windows with attributes as near as possible to those that are `asked` for, ``(N, K)``.

        Those that are NaN are to stay as they are. A window in which one has no meaning stays without it, and one that
        is as it should be stays as it is. The search begins at the windows themselves, or where an earlier one ended.
        `report` gets how many windows are done.
        """
        low, high = self.fitted.bounds()
        goal = torch.where(asked.isnan() | self.base.isnan(), self.base, asked.clamp(low, high))
        chosen = ~asked.isnan()
        start = start or self.start
        made = Moved(start.codes, self.reference, self.base)
        rows = (torch.where(chosen, goal - self.base, 0.0).abs() > _SAME).any(1).nonzero()[:, 0]
        many = max(1, _VALUES_AT_ONCE // (math.prod(self.codec.spec.full_shape) * (_MOST_TRIES + len(_CORRECTIONS))))
        for done, index in enumerate(torch.split(rows, many) if len(rows) else ()):
            part = self._in_stages(index, goal[index], chosen[index], start.at(index))
            made = made.with_rows(index, part)
            if report:
                report(min(len(rows), (done + 1) * many), len(rows))
        return made

    def near(self, asked: Tensor) -> Moved:
        """Return windows as `to` does, from few tries: at once, and not as near."""
        low, high = self.fitted.bounds()
        goal, chosen = torch.where(asked.isnan(), self.base, asked.clamp(low, high)), ~asked.isnan()
        every, now = torch.arange(len(self.x)), self.start
        cost = self._cost(every, goal, chosen, now.windows[:, None], now.values[:, None])[:, 0]
        for sizes in (_QUICK_SIZES, _QUICK_CORRECTIONS):
            if torch.where(chosen, goal - now.values, 0.0).nan_to_num().abs().max() <= _NEAR_ENOUGH:
                break
            step = torch.where(chosen, goal - now.values, 0.0).nan_to_num() @ self.fitted.directions
            places = now.codes[:, None] + torch.tensor(sizes).view(1, -1, 1) * step[:, None]
            now, cost = self._best(every, goal, chosen, now, cost, places)
        return now

    def _in_stages(self, index: Tensor, goal: Tensor, chosen: Tensor, now: Moved) -> Moved:
        """Move some windows so far that none goes over more than one deviation at once."""
        way = torch.where(chosen, goal - now.values, 0.0).nan_to_num()
        stages = max(1, math.ceil(way.abs().max().item() / _STEP - 0.01)) if len(way) else 1
        first = now.values
        for stage in range(1, stages + 1):
            between = torch.where(chosen & ~first.isnan(), torch.lerp(first, goal, stage / stages), goal)
            now = self._stage(index, between, chosen, now, stage)
        return now

    def _stage(self, index: Tensor, goal: Tensor, chosen: Tensor, now: Moved, stage: int) -> Moved:
        sizes = torch.tensor(_SIZES).view(1, -1, 1)
        step = torch.where(chosen, goal - now.values, 0.0).nan_to_num() @ self.fitted.directions
        cost = self._cost(index, goal, chosen, now.windows[:, None], now.values[:, None])[:, 0]
        now, cost = self._best(index, goal, chosen, now, cost, now.codes[:, None] + sizes * step[:, None])
        tries = max(_FEWEST_TRIES, min(_MOST_TRIES, _TRIES // len(self.x)))
        for turn in range(_MOST_ROUNDS):
            off = torch.where(chosen, now.values - goal, 0.0).nan_to_num().square().sum(1)
            open_ = ((off > _MISSED) if turn >= _ROUNDS else (cost > _GOOD)).nonzero()[:, 0]
            if not len(open_):
                break
            some, missing = now.at(open_), (goal[open_] - now.values[open_]).nan_to_num().clamp(-1.5, 1.5)
            fix = torch.tensor(_CORRECTIONS).view(1, -1, 1) * (missing @ self.fitted.directions)[:, None]
            around = self._around(tries, stage, turn)[None].expand(len(open_), -1, -1)
            places = some.codes[:, None] + torch.cat([fix, around], dim=1)
            some, better = self._best(index[open_], goal[open_], chosen[open_], some, cost[open_], places)
            cost = cost.index_copy(0, open_, better)
            now = now.with_rows(open_, some)
        return now

    def _around(self, tries: int, stage: int, turn: int) -> Tensor:
        """Return steps ``(tries, D)`` in random directions, the same for all windows: equal ones stay equal."""
        rng, axes = generator(self.seed, 62, stage, turn), self.fitted.axes
        far = _NEAR + (_WIDE - _NEAR) * torch.rand(tries, 1, generator=rng)
        far = far * _WIDER ** max(0, turn + 1 - _ROUNDS)
        return far * torch.randn(tries, len(axes), generator=rng) @ axes

    def _best(
        self, index: Tensor, goal: Tensor, chosen: Tensor, now: Moved, cost: Tensor, places: Tensor
    ) -> tuple[Moved, Tensor]:
        """Return the best of codes ``(n, M, D)`` and of what there is for each window, and its cost ``(n,)``."""
        count = places.shape[1]
        windows = self._decode(places.flatten(0, 1), index.repeat_interleave(count))
        values = self.fitted.values(self.codec, windows).view(len(index), count, -1)
        windows = windows.view(len(index), count, *windows.shape[1:])
        costs = self._cost(index, goal, chosen, windows, values)
        least, which = costs.min(1)
        rows, better = torch.arange(len(index)), least < cost
        found = Moved(places[rows, which], windows[rows, which], values[rows, which])
        kept = (torch.where(better.view(-1, *(1,) * (new.ndim - 1)), new, old) for old, new in _pairs(now, found))
        return Moved(*kept), torch.minimum(least, cost)

    def _cost(self, index: Tensor, goal: Tensor, chosen: Tensor, windows: Tensor, values: Tensor) -> Tensor:
        """Return how far windows ``(n, M, C, *S)`` are from the goal ``(n, K)``, ``(n, M)``."""
        off = values - goal[:, None]
        off = torch.where(off.isnan(), torch.where(goal.isnan()[:, None], 0.0, _LOST_COST), off).square()
        asked, others = (off * chosen[:, None]).sum(2), off * ~chosen[:, None]
        count, shape = windows.shape[1], windows.shape[2:]
        reference = self.reference[index].repeat_interleave(count, 0)
        same = self.codec.likelihood.accuracy(reference, windows.reshape(-1, *shape)).view(len(index), count)
        return asked + _OTHERS_COST * others.sum(2) / max(1, others.shape[2] - 1) + _CHANGE_COST * (1 - same)

    def _decode(self, codes: Tensor, index: Tensor) -> Tensor:
        made = self.codec.decode(codes, cond=None if self.cond is None else self.cond[index])
        return made if self.kept is None else torch.where(self.kept, self.x[index], made)


def _pairs(a: Moved, b: Moved) -> Sequence[tuple[Tensor, Tensor]]:
    return [(a.codes, b.codes), (a.windows, b.windows), (a.values, b.values)]
