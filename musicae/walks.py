"""Walks between codes whose outputs change by about as much at each step, and how far outputs lie apart."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from . import latent
from .codec import Codec
from .inputs import check_number

__all__ = ["Report", "between", "differences", "measure", "walk"]

_DOUBT = 0.45  # What a stop costs where the decoder doubts its output, a nat a place; see `latent.even_stops`.
_STILL = 0.05  # What a step costs that changes nothing: the decoder doubts least at the ends, but none should wait.
_AT_ONCE = 2048  # Windows decoded together: bounds the memory of a walk between long inputs.
_KNOTS = 9  # Places at which a long path through the prior's noise is followed to the codes.

Report = Callable[[int, int], None]
"""Told how many windows are done, of how many."""


def differences(x: Tensor, y: Tensor, likelihood: str = "categorical") -> Tensor:
    """Return how far windows or files ``(N, C, *S)`` lie apart, ``(N,)``; an axis of 1 is repeated.

    For one-hot and binary values (`likelihood` of the `Spec`) it is the share of the places along ``*S``
    at which any channel differs; for real ones the root of the mean square of the difference.
    """
    if likelihood == "gaussian":
        return (x - y).square().flatten(1).mean(1).sqrt()
    return (x != y).any(dim=1).float().flatten(1).mean(1)


def measure(codec: Codec) -> str:
    """Return the likelihood by which `differences` compares what a codec makes.

    It is the adapter's own, but pictures are compared by their greys even where those stand for probabilities.
    """
    return "gaussian" if len(codec.spec.shape) > 1 else codec.spec.likelihood


def walk(
    codec: Codec, za: Tensor, zb: Tensor, steps: int, *,
    spherical: bool = True, even: bool = True, temperature: float = 0.0, seed: int = 0, report: Report | None = None,
) -> Tensor:  # fmt: skip
    """Decode `steps` points between codes `za` and `zb` ``(N, D)``: values ``(steps, N, C, *S)``.

    With `even` the moments are chosen for each pair so that the output changes by about as much at
    each step, and the decoder is sure of what it writes there (`latent.even_stops`), else they are
    equally far apart. Pairs are decoded in chunks; `report` gets the pairs done and their number.
    Raise MusicaeError for fewer than 2 steps or more than 1000.
    """
    check_number("steps", steps, least=2)
    fine, places = max(32, 4 * (steps - 1)) + 1, math.prod(codec.spec.shape)
    chunk = max(1, _AT_ONCE // fine)
    out = torch.empty(steps, len(za), *codec.spec.full_shape)
    for i in range(0, len(za), chunk):
        if report:
            report(i, len(za))
        a, b = za[i : i + chunk], zb[i : i + chunk]
        times = torch.linspace(0, 1, steps)
        if even:
            moments = torch.linspace(0, 1, fine)
            codes = between(codec, a, b, moments, spherical)
            decoded, nll = codec.decode_and_doubt(codes.flatten(0, 1))
            path, doubt = decoded.view(*codes.shape[:2], *codec.spec.full_shape), nll.view(codes.shape[:2]) / places
            more = (doubt - torch.maximum(doubt[0], doubt[-1])).clamp_min(0)  # Than at the ends, which are as they are.
            stops = latent.even_stops(_apart_along(path, measure(codec)), steps, _DOUBT * more.T, _STILL)
            if temperature <= 0:
                out[:, i : i + chunk] = path[stops, torch.arange(len(a))]
                continue
            times = moments[stops]
        out[:, i : i + chunk] = _decode_path(codec, between(codec, a, b, times, spherical), temperature, seed + i)
    if report:
        report(len(za), len(za))
    return out


def between(codec: Codec, a: Tensor, b: Tensor, times: Tensor, spherical: bool) -> Tensor:
    """Return codes ``(S, N, D)`` at `times` between `a` and `b`, by way of the noise that the prior draws from.

    A great circle there keeps to codes that the prior knows, where a line between the codes themselves
    leaves them. Following the flow there and back is not quite exact; what it adds at the two ends
    (the first and last of `times`) is taken off, in proportion along the way.
    """
    if codec.prior is not None and times.ndim == 1 and len(times) > _KNOTS:
        # The flow is smooth and dear: straight pieces between few places give (nearly) the same music.
        codes = between(codec, a, b, torch.linspace(0, 1, _KNOTS), spherical)
        place = times * (_KNOTS - 1)
        before = place.long().clamp(max=_KNOTS - 2)
        return torch.lerp(codes[before], codes[before + 1], (place - before).view(-1, 1, 1))
    start, end = codec.to_noise(torch.cat([a, b])).chunk(2)
    noise = latent.path(start, end, times, spherical)
    codes = codec.from_noise(noise.flatten(0, 1)).view(noise.shape)
    return codes + latent.path(a - codes[0], b - codes[-1], times)


def _apart_along(path: Tensor, likelihood: str) -> Tensor:
    """Return how far all moments of each path lie apart: ``(F, N, C, *S)`` -> ``(N, F, F)``."""
    if likelihood == "categorical":
        path = path.argmax(2, keepdim=True)  # The same answer, from a fraction of the numbers.
    flat, shape = path.flatten(0, 1), path.shape[:2]
    return torch.stack(
        [differences(flat, one.expand_as(path).flatten(0, 1), likelihood).view(shape).T for one in path], dim=-1
    )


def _decode_path(codec: Codec, codes: Tensor, temperature: float = 0.0, seed: int = 0) -> Tensor:
    """Decode ``(S, N, D)`` to ``(S, N, C, *S)``."""
    decoded = codec.decode(codes.flatten(0, 1), temperature, seed)
    return decoded.view(*codes.shape[:2], *decoded.shape[1:])
