"""How well attributes can be changed: whether they rise, by how much, what else changes, and how much stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from musicae import splits
from musicae.codec import Codec
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared.common import Figures, mean
from musicae.ops.attributes import Fitted, check_able, fit, load, some_of
from musicae.ops.shifting import Moved, Mover
from musicae.tensors.latent import attribute_vector
from musicae.tensors.random import generator

__all__ = ["attribute_figures", "fit_and_measure"]

_MOVES, _FEWEST = 256, 8  # Windows that are moved, for all attributes together and for each.
_TRAIN = 2048  # Training windows whose codes the attribute vectors are the mean differences of.
_SIZES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)  # Of the steps of floors, of which that is taken that changes as much.
_HALF = 0.5  # Standard deviations up or down, at which it should still be the same tune.


def attribute_figures(codec: Codec, train: Windows, test: Windows, seed: int = 0) -> Figures:
    """Measure the attributes of a codec on test windows, in the mean over them.

    ``attribute_rises`` is the share of windows in which one rises that is moved by a standard deviation,
    ``attribute_change`` by how many deviations it changes, ``attribute_others`` by how many the others do (their mean
    absolute change), ``attribute_stays`` the share of the steps that stay where it is moved by half a deviation up or
    down. Counted are windows with room for that. Floors are moves along attribute vectors, the mean differences of
    codes (Roberts et al. 2018), and in random directions, all so far that the attribute rises by a deviation in the
    mean, if it does; that of what stays is two unrelated windows.
    """
    fitted = load(codec)
    x, cond = next(some_of(codec, test, max(_FEWEST, _MOVES // len(fitted.traits)), seed))
    codes, values = [], []
    for given, its in some_of(codec, train, _TRAIN, seed):
        codes.append(codec.encode(given, its, refine=True).mean)
        values.append(fitted.values(codec, given))
    vectors = _vectors(torch.cat(codes), torch.cat(values))
    mover = Mover(codec, fitted, x, cond, seed=seed)
    found: dict[str, list[Tensor]] = {}
    for k in range(len(fitted.traits)):
        noise = torch.randn(len(x), len(fitted.axes), generator=generator(seed, 63, k)) @ fitted.axes
        noise *= vectors[k].norm() / noise.norm(dim=1, keepdim=True)
        moves = {
            "": moved(mover, k, 1.0),
            "floor_difference_": _straight(mover, k, vectors[k].expand(len(x), -1)),
            "floor_random_": _straight(mover, k, noise),
        }
        for prefix, move in moves.items():
            for name, each in _effects(fitted, mover, k, move).items():
                found.setdefault(f"{prefix}attribute_{name}", []).append(each)
        found.setdefault("attribute_stays", []).append(_stays(mover, k))
    figures: Figures = {}
    for name, parts in found.items():
        every = torch.cat(parts)
        if name.startswith("floor"):
            figures[name] = every.mean().item()
        elif len(every):
            mean(figures, name, every)
    for name, best in (("rises", max), ("others", min)):
        if f"attribute_{name}" in figures:
            reached = (figures[f"floor_{rival}_attribute_{name}"] for rival in ("difference", "random"))
            figures[f"floor_attribute_{name}"] = best(reached)
    figures["floor_attribute_stays"] = codec.likelihood.accuracy(x, x.roll(1, 0)).mean().item()
    return figures


def _vectors(codes: Tensor, values: Tensor) -> Tensor:
    """Return the attribute vector of each attribute, divided by how many deviations it spans, ``(K, D)``."""
    vectors = []
    for column in values.T:
        known = ~column.isnan()
        own = column[known].sort().values
        quarter = max(1, len(own) // 4)
        apart = (own[-quarter:].mean() - own[:quarter].mean()).clamp_min(1e-3)
        vectors.append(attribute_vector(codes[known], column[known]) / apart)
    return torch.stack(vectors)


def moved(mover: Mover, k: int, by: float | Tensor) -> Moved:
    """Return windows in which the attribute `k` is moved by a number of standard deviations, one for all or each."""
    asked = torch.full_like(mover.own, torch.nan)
    asked[:, k] = mover.own[:, k] + by
    return mover.to(asked)


def _straight(mover: Mover, k: int, step: Tensor) -> Moved:
    """Return the windows at their codes plus steps ``(N, D)``, so far that the attribute `k` rises by one in the mean.

    That is as nearly as any of several multiples of the steps has it.
    """
    tried = []
    for size in _SIZES:
        codes = mover.start.codes + size * step
        windows = mover.codec.decode(codes, cond=mover.cond)
        tried.append(Moved(codes, windows, mover.fitted.values(mover.codec, windows)))
    return min(tried, key=lambda one: abs((one.values - mover.own)[:, k].nanmean().item() - 1))


def _effects(fitted: Fitted, mover: Mover, k: int, move: Moved) -> dict[str, Tensor]:
    """Return what a move by one did to each window in which there was room for it, ``(n,)`` each."""
    room = mover.own[:, k] + 1 <= fitted.bounds()[1][k]
    change, beside = (move.values - mover.own)[room, k], (move.values - mover.base)[room]
    others = torch.cat([beside[:, :k], beside[:, k + 1 :]], dim=1).abs()
    effects = {"rises": (change > 1e-6).float(), "change": change.nan_to_num()}
    return effects | ({"others": others.nanmean(1).nan_to_num()} if others.shape[1] else {})


def _stays(mover: Mover, k: int) -> Tensor:
    """Return the share of the steps that stay in each window in which there is room for half a deviation, ``(n,)``."""
    low, high = (end[k] for end in mover.fitted.bounds())
    by = torch.full((len(mover.own),), _HALF)
    by[1::2] = -_HALF
    own = mover.own[:, k]
    by = torch.where((own + by > high) | (own + by < low), -by, by)
    room = (own + by <= high) & (own + by >= low)
    return mover.codec.likelihood.accuracy(mover.x, moved(mover, k, by).windows)[room]


def fit_and_measure(codec: Codec, folders: Mapping[str, Path], windows: int, seed: int = 0) -> Fitted:
    """Fit a codec's attributes to its training windows, and measure them on so many of the validation split.

    Raise MusicaeError for a preset without attributes, or whose data cannot be found.
    """
    check_able(codec)
    train = splits.load(codec.preset, codec.adapter, "train", folders)
    fitted = fit(codec, train, seed=seed)
    if fitted is None:
        raise MusicaeError(f"what '{codec.preset.name}' makes has no attributes that change; choose another preset")
    held_out = splits.load(codec.preset, codec.adapter, "validation", folders, train)
    if not len(held_out):
        return fitted
    x, cond = next(some_of(codec, held_out, windows, seed))
    mover, traits = Mover(codec, fitted, x, cond, seed=seed), []
    for k, trait in enumerate(fitted.traits):
        effects = {**_effects(fitted, mover, k, moved(mover, k, 1.0)), "stays": _stays(mover, k)}
        measured = {name: each.mean().item() for name, each in effects.items() if len(each)}
        traits.append(replace(trait, measured={**trait.measured, **measured}))
    return replace(fitted, traits=tuple(traits))
