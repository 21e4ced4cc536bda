"""Walks between codes whose outputs change by about as much at each step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.ops.inputs import check_number
from musicae.tensors import latent

__all__ = ["Report", "Walk", "WalkOptions", "between", "between_conditions", "walk"]

_NLL_COST = 0.45  # What a stop costs for each nat by which the decoder is unsure of a group's values at a place.
_PLACES = 32  # Values of all groups for which that holds; where there are more, stops differ less, by the square root.
_STILL_COST = 0.05  # What a step costs that changes nothing: the ends are the surest, but no stop should wait there.
_BEYOND_COST = 0.05  # What a stop costs that is farther from the start than the end is, from where a step leads back.
_AT_ONCE, _VALUES_AT_ONCE = 2048, 4_300_000  # Windows, and values, decoded together: bounds the memory of long inputs.
_STRETCHES, _BEATS = 16, 2  # A window falls into so many stretches at most, of so many beats at least (half a bar).
_KNOTS = 9  # Places at which a long path through the prior's noise is followed to the codes.

Report = Callable[[int, int], None]
"""Told how many windows are done, of how many."""

Conditions = tuple[Tensor, Tensor] | None
"""Those of both ends, ``(N, K)`` or ``(N, K, T)`` each, for a conditional model."""


@dataclass(frozen=True)
class WalkOptions:
    """How to walk: in `steps` steps, both ends counted.

    With `even` the moments are chosen for each pair of codes so that the output changes by about as much at each step,
    and the decoder is sure of what it writes there (`latent.even_stops`), else they are equally far apart. Of music on
    a grid, each half bar (of sixteen bars, each bar) may then be up to a step ahead or behind (`latent.staggered`).

    `spherical` walks along great circles of the prior's noise, not straight lines. Temperature 0 takes the most
    probable values, 1 draws them by `seed`.
    """

    steps: int = 9
    spherical: bool = True
    even: bool = True
    temperature: float = 0.0
    seed: int = 0


class Walk(NamedTuple):
    """Decoded points between codes: `values` ``(steps, N, C, *S)`` at `times` ``(steps, N)`` from 0 to 1, or near them.

    See `WalkOptions` for what is not quite at its time. `cond` ``(steps, N, K)`` or ``(steps, N, K, T)`` are the
    conditions that all was decoded under, None where there are none.
    """

    values: Tensor
    times: Tensor
    cond: Tensor | None


def walk(
    codec: Codec,
    za: Tensor,
    zb: Tensor,
    options: WalkOptions,
    conditions: Conditions = None,
    report: Report | None = None,
) -> Walk:
    """Decode points between codes `za` and `zb` ``(N, D)``.

    Conditions go from one end's to the other's in proportion to the times. Pairs are decoded in chunks; `report` gets
    the pairs done and their number. Raise MusicaeError for fewer than 2 steps or more than 1000.
    """
    steps = options.steps
    check_number("steps", steps, at_least=2)
    fine = max(32, 4 * (steps - 1)) + 1
    chunk = max(1, min(_AT_ONCE, _VALUES_AT_ONCE // math.prod(codec.spec.full_shape)) // fine)
    values, times = torch.empty(steps, len(za), *codec.spec.full_shape), torch.empty(steps, len(za))
    conds = None if conditions is None else conditions[0].new_empty(steps, *conditions[0].shape)
    for i in range(0, len(za), chunk):
        if report:
            report(i, len(za))
        here = slice(i, i + chunk)
        a, b = za[here], zb[here]
        ends = None if conditions is None else (conditions[0][here], conditions[1][here])
        times[:, here] = torch.linspace(0, 1, steps)[:, None]
        if options.even:
            values[:, here], times[:, here], cond = _even(codec, a, b, options, fine, ends)
        if not options.even or options.temperature > 0:
            # Moments that all pairs share are followed through the prior in fewer places; see `between`.
            moments = times[:, here] if options.even else torch.linspace(0, 1, steps)
            codes = between(codec, a, b, moments, options.spherical, ends)
            cond = between_conditions(ends, moments)
            decoded = codec.decode(codes.flatten(0, 1), options.temperature, options.seed + i, _flat(cond))
            values[:, here] = decoded.view(*codes.shape[:2], *decoded.shape[1:])
        if conds is not None and cond is not None:
            conds[:, here] = cond
    if report:
        report(len(za), len(za))
    return Walk(values, times, conds)


def _even(codec: Codec, a: Tensor, b: Tensor, options: WalkOptions, fine: int, conditions: Conditions) -> Walk:
    """Return the most probable outputs ``(steps, N, C, *S)`` at even stops, their times, and the conditions there."""
    moments = torch.linspace(0, 1, fine)
    codes = between(codec, a, b, moments, options.spherical, conditions)
    decoded, nll = codec.decode_with_nll(codes.flatten(0, 1), _flat(between_conditions(conditions, moments)))
    path = decoded.view(*codes.shape[:2], *codec.spec.full_shape)
    places = math.prod(codec.spec.shape) * len(codec.spec.groups)
    unsure = nll.view(codes.shape[:2]) / places
    more = (unsure - torch.maximum(unsure[0], unsure[-1])).clamp_min(0)  # Than at the ends, which are as they are.
    doubt = _NLL_COST * min(1.0, math.sqrt(_PLACES / places)) * more.T
    apart = _distances_along(codec, path)
    far = apart[:, 0]
    penalty = doubt + _BEYOND_COST * (far > far[:, -1:])
    stops = latent.even_stops(apart, options.steps, penalty, _STILL_COST)
    at = _staggered(codec, path, stops, penalty, apart.amax((1, 2)))
    row = torch.arange(len(a))
    pieces = torch.split(path, path.shape[-1] // at.shape[1], -1) if at.shape[1] > 1 else (path,)
    values = torch.cat([piece[now, row] for piece, now in zip(pieces, at.unbind(1), strict=True)], dim=-1)
    return Walk(values, moments[stops], _conditions_at(conditions, moments[at]))


def _conditions_at(conditions: Conditions, times: Tensor) -> Tensor | None:
    """Return the conditions where the stretches of windows have `times` ``(S, M, N)`` of their own."""
    if conditions is None or conditions[0].ndim == 2:  # Those of a whole window have one time, about.
        return between_conditions(conditions, times.mean(1))
    a, b = conditions
    stretch = torch.arange(a.shape[-1]) * times.shape[1] // a.shape[-1]
    return torch.lerp(a[None], b[None], times[:, stretch].transpose(1, 2).unsqueeze(2))


def _staggered(codec: Codec, path: Tensor, stops: Tensor, penalty: Tensor, scale: Tensor) -> Tensor:
    """Return moments for the stretches of windows ``(S, M, N)`` near the `stops` ``(S, N)`` on a `path`.

    `penalty` ``(N, F)`` is the cost of each moment, and `scale` ``(N,)`` the distance that counts as 1.
    """
    fine, length = len(path) - 1, _stretch(codec)
    if length == path.shape[-1]:
        return stops.unsqueeze(1)
    reach = max(1, fine // (len(stops) - 1))
    wished = stops.unsqueeze(2) + torch.arange(-reach, reach + 1)
    at = wished.clamp(0, fine)  # S, N, K
    barred = at != wished
    barred[0], barred[-1] = wished[0] != 0, wished[-1] != fine
    cost = penalty.gather(1, at.transpose(0, 1).flatten(1)).view(path.shape[1], len(stops), -1).transpose(0, 1)
    cost = cost.masked_fill(barred, torch.inf)
    apart = _distances_onward(codec, path, at, length) / scale.clamp_min(1e-9).view(-1, 1, 1)
    back = at[:-1].unsqueeze(3) > at[1:].unsqueeze(2)
    chosen = latent.staggered(apart.masked_fill(back.unsqueeze(1), torch.inf), cost)
    return at.unsqueeze(1).expand(-1, chosen.shape[1], -1, -1).gather(3, chosen.unsqueeze(3)).squeeze(3)


def _stretch(codec: Codec) -> int:
    """Return how long a stretch is that may take its own moment: all of a window, but of music on a grid."""
    beat, (*others, steps) = codec.adapter.steps_per_beat, codec.spec.shape
    if beat == 0 or others:
        return steps
    fits = [
        count for count in range(1, _STRETCHES + 1) if steps % (count * beat) == 0 and steps >= count * _BEATS * beat
    ]
    return steps // max(fits, default=1)


def _distances_onward(codec: Codec, path: Tensor, at: Tensor, length: int) -> Tensor:
    """Return what each stretch adds to the distances between moments `at` ``(S, N, K)``: ``(S - 1, M, N, K, K)``."""
    likelihood, (count, n, k) = codec.likelihood, at.shape
    stretches = path.shape[-1] // length
    flat = likelihood.compact(path.flatten(0, 1))
    flat = flat.view(*path.shape[:2], -1, stretches, length).transpose(2, 3)  # F, N, M, C', L
    row = torch.arange(n).unsqueeze(1)
    found = torch.empty(count - 1, n, k, k, stretches)
    for stop, (now, then) in enumerate(pairwise(at)):
        here, there = flat[now, row], flat[then, row]  # N, K, M, C', L
        for j in range(k):
            other = there[:, j : j + 1].expand_as(here)
            found[stop, :, :, j] = likelihood.distance(here.flatten(0, 2), other.flatten(0, 2)).view(n, k, stretches)
    return found.permute(0, 4, 1, 2, 3) / stretches


def between(
    codec: Codec, a: Tensor, b: Tensor, times: Tensor, spherical: bool, conditions: Conditions = None
) -> Tensor:
    """Return codes ``(S, N, D)`` at `times` between `a` and `b`, by way of the noise that the prior draws from.

    A great circle there keeps to codes that the prior knows, where a line between the codes themselves
    leaves them. Following the flow there and back is not quite exact; what it adds at the two ends
    (the first and last of `times`) is taken off, in proportion along the way.
    """
    if codec.prior is not None and times.ndim == 1 and len(times) > _KNOTS:
        # The flow is smooth and dear: straight pieces between few places give (nearly) the same music.
        codes = between(codec, a, b, torch.linspace(0, 1, _KNOTS), spherical, conditions)
        place = times * (_KNOTS - 1)
        before = place.long().clamp(max=_KNOTS - 2)
        return torch.lerp(codes[before], codes[before + 1], (place - before).view(-1, 1, 1))
    ends = None if conditions is None else torch.cat(conditions)
    start, end = codec.to_noise(torch.cat([a, b]), ends).chunk(2)
    noise = latent.path(start, end, times, spherical)
    codes = codec.from_noise(noise.flatten(0, 1), _flat(between_conditions(conditions, times))).view(noise.shape)
    return codes + latent.path(a - codes[0], b - codes[-1], times)


def between_conditions(conditions: Conditions, times: Tensor) -> Tensor | None:
    """Return the conditions ``(S, N, K)`` or ``(S, N, K, T)`` at `times` ``(S,)`` or ``(S, N)`` on the way."""
    if conditions is None:
        return None
    a, b = conditions
    return torch.lerp(a[None], b[None], times.view(len(times), -1, *(1,) * (a.ndim - 1)))


def _flat(cond: Tensor | None) -> Tensor | None:
    return None if cond is None else cond.flatten(0, 1)


def _distances_along(codec: Codec, path: Tensor) -> Tensor:
    """Return how far all moments of each path lie apart: ``(F, N, C, *S)`` -> ``(N, F, F)``."""
    likelihood, shape = codec.likelihood, path.shape[:2]
    flat = likelihood.compact(path.flatten(0, 1))
    moments = flat.view(*shape, *flat.shape[1:])
    return torch.stack(
        [likelihood.distance(flat, one.expand_as(moments).flatten(0, 1)).view(shape).T for one in moments], dim=-1
    )
