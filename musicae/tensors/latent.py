"""Geometry of codes ``(..., D)``: paths, grids, neighbours and attribute vectors."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.errors import MusicaeError

__all__ = ["attribute_vector", "even_stops", "grid", "inside", "lerp", "path", "slerp", "staggered"]

_MIN_LENGTH = 1e-12  # A shorter code counts as zero.
_MIN_SINE = 1e-4  # Of the angle between two codes; below it they are taken as parallel.
_MIN_DISTANCE = 1e-9  # Between outputs, where all distances are divided by the largest.
_UNEVEN_COST = 1e-6  # Only decides between paths that are as good otherwise.
_ROUNDS = 2  # In which the stretches are gone through, each fitted to the others; a third changes nearly nothing.


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Return ``a + t (b - a)`` along the straight line; `t` broadcasts against ``(..., D)``."""
    return a + t * (b - a)


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Interpolate along the great circle, lengths geometrically in between (Shoemake 1985).

    Equal or (anti)parallel directions, and zero codes, have no great circle: there it is `lerp`.
    """
    length_a, length_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    cosine = (a * b).sum(-1, keepdim=True) / (length_a * length_b).clamp_min(_MIN_LENGTH)
    angle = torch.arccos(cosine.clamp(-1.0, 1.0))
    sine = torch.sin(angle)
    straight = (sine.abs() < _MIN_SINE) | (length_a < _MIN_LENGTH) | (length_b < _MIN_LENGTH)
    safe = torch.where(straight, torch.ones_like(sine), sine)
    unit_a, unit_b = a / length_a.clamp_min(_MIN_LENGTH), b / length_b.clamp_min(_MIN_LENGTH)
    direction = torch.sin((1 - t) * angle) / safe * unit_a + torch.sin(t * angle) / safe * unit_b
    length = length_a.clamp_min(_MIN_LENGTH) ** (1 - t) * length_b.clamp_min(_MIN_LENGTH) ** t
    return torch.where(straight, lerp(a, b, t), length * direction)


def path(a: Tensor, b: Tensor, times: Tensor, spherical: bool = False) -> Tensor:
    """Return the codes at `times` ``(S,)`` or ``(S, N)`` between `a` and `b` ``(N, D)``: ``(S, N, D)``."""
    t = times.view(len(times), -1, 1).to(a)
    return (slerp if spherical else lerp)(a.unsqueeze(0), b.unsqueeze(0), t)


def grid(corners: Tensor, rows: int, columns: int, spherical: bool = False) -> Tensor:
    """Return codes bilinearly between four `corners` ``(4, N, D)``: ``(rows, columns, N, D)``.

    The corners are top left, top right, bottom left, bottom right.
    """
    if len(corners) != 4:
        raise MusicaeError(f"a grid needs 4 corners, not {len(corners)}")
    down, across = torch.linspace(0, 1, rows), torch.linspace(0, 1, columns)
    left = path(corners[0], corners[2], down, spherical)
    right = path(corners[1], corners[3], down, spherical)
    return torch.stack([path(left[r], right[r], across, spherical) for r in range(rows)])


def inside(corners: Tensor, x: float, y: float = 0.0, spherical: bool = False) -> Tensor:
    """Return the codes ``(N, D)`` at one place between `corners` ``(2, N, D)``, or ``(4, N, D)`` as of a `grid`.

    It is `x` to the right and `y` down, 0 to 1 each; between two, `y` does not count.
    """
    if len(corners) not in (2, 4):
        raise MusicaeError(f"a place lies between 2 or 4 corners, not {len(corners)}")
    left, right = corners[0], corners[1]
    if len(corners) == 4:
        left, right = (path(corners[i], corners[i + 2], torch.tensor([y]), spherical)[0] for i in (0, 1))
    return path(left, right, torch.tensor([x]), spherical)[0]


def even_stops(distances: Tensor, steps: int, penalty: Tensor | None = None, still_cost: float = 0.0) -> Tensor:
    """Choose `steps` stops on a fine path so that its outputs change by about as much at each.

    A decoder turns an even walk through the codes into an uneven one through its outputs: nothing
    changes for a while, then much at once. The stops, never nearer to the start than the one before, are those whose
    changes have the lowest sum of fourth powers (so that the largest counts most), by dynamic programming.

    Parameters
    ----------
    distances : ``(N, F, F)``: for each of ``N`` paths, the distances between the outputs at its ``F`` points.
    steps : how many stops, the first at point 0 and the last at point ``F - 1``.
    penalty : ``(N, F)``, the cost of a stop at a point, in the same unit: 1 is the cost of going all the way at
        once.
    still_cost : the cost of a step that changes nothing, where another could.

    Returns
    -------
    Indices of the points, ``(steps, N)``.
    """
    n, fine, _ = distances.shape
    from_start = distances[:, 0]
    onward = torch.ones(fine, fine, dtype=torch.bool, device=distances.device).triu()
    onward = onward & (from_start.unsqueeze(1) >= from_start.unsqueeze(2))
    onward[:, :, -1] = True  # A walk may go to its end from wherever it is.
    # A slight cost of uneven moments spreads out the stops where the output does not change.
    moment = torch.arange(fine).to(distances) / (fine - 1)
    uneven = ((moment.unsqueeze(0) - moment.unsqueeze(1)) * (steps - 1) - 1).square()
    scale = distances.amax((1, 2), keepdim=True).clamp_min(_MIN_DISTANCE)
    cost = (distances / scale) ** 4 + _UNEVEN_COST * uneven + still_cost * (distances == 0)
    cost = cost.masked_fill(~onward, torch.inf)
    if penalty is not None:
        cost = cost + penalty.unsqueeze(1)
    lowest, came_from = cost[:, 0], []
    for _ in range(steps - 2):
        lowest, before = (lowest.unsqueeze(2) + cost).min(dim=1)
        came_from.append(before)
    stops = [torch.full((n,), fine - 1, device=distances.device)]
    for before in reversed(came_from):
        stops.append(before.gather(1, stops[-1].unsqueeze(1)).squeeze(1))
    if steps > 1:
        stops.append(torch.zeros_like(stops[0]))
    return torch.stack(stops[::-1])


def staggered(apart: Tensor, penalty: Tensor) -> Tensor:
    """Let the stretches of a sequence make their way each at its own moments, so that the whole changes evenly.

    Where a decoder changes much at once, some stretches do so a little earlier and others a little later. As in
    `even_stops`, the changes of the whole have the lowest sum of fourth powers; each stretch in turn is fitted to the
    others by dynamic programming.

    Parameters
    ----------
    apart : ``(steps - 1, M, N, K, K)``: for each of ``M`` stretches of ``N`` paths, what it adds to the change from
        each of the ``K`` moments it may take at a stop to each of those at the next; ``inf`` for what it may not. The
        one in the middle is where all stretches begin.
    penalty : ``(steps, N, K)``, the cost of each of these moments for all stretches together; ``inf`` as above.

    Returns
    -------
    Which of the ``K`` moments, ``(steps, M, N)``.
    """
    gaps, stretches, n, k, _ = apart.shape
    chosen = torch.full((gaps + 1, stretches, n), k // 2, device=apart.device)
    changes = torch.stack([_changes(apart[:, m], chosen[:, m]) for m in range(stretches)])
    for m in [*range(stretches)] * _ROUNDS:
        others = changes.sum(0) - changes[m]
        cost = (others[:, :, None, None] + apart[:, m]) ** 4
        lowest, came_from = penalty[0] / stretches, []
        for gap in range(gaps):
            lowest, before = (lowest.unsqueeze(2) + cost[gap]).min(dim=1)
            lowest = lowest + penalty[gap + 1] / stretches
            came_from.append(before)
        at = [lowest.argmin(1)]
        for before in reversed(came_from):
            at.append(before.gather(1, at[-1].unsqueeze(1)).squeeze(1))
        chosen[:, m] = torch.stack(at[::-1])
        changes[m] = _changes(apart[:, m], chosen[:, m])
    return chosen


def _changes(apart: Tensor, chosen: Tensor) -> Tensor:
    """Return by how much a stretch ``(G, N, K, K)`` changes between the moments `chosen` ``(G + 1, N)``: ``(G, N)``."""
    gap, row = torch.meshgrid(torch.arange(len(apart)), torch.arange(apart.shape[1]), indexing="ij")
    return apart[gap, row, chosen[:-1], chosen[1:]]


def attribute_vector(codes: Tensor, values: Tensor) -> Tensor:
    """Return the direction ``(D,)`` in which an attribute grows: mean code of its top quarter less the bottom's.

    `codes` are ``(N, D)``, `values` ``(N,)`` (Roberts et al. 2018, section 6.3).
    """
    if len(codes) != len(values) or len(codes) < 4:
        raise MusicaeError("an attribute vector needs at least 4 codes, and one value for each")
    order = values.argsort()
    quarter = len(order) // 4
    return codes[order[-quarter:]].mean(0) - codes[order[:quarter]].mean(0)
