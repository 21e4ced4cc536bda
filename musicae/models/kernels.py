"""A prior of a person's own: normal kernels around the codes of some files."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from musicae.core import Prior
from musicae.errors import MusicaeError
from musicae.ranges import Count, SizeOrNone

__all__ = ["KernelPrior"]

_MIN_VARIANCE = 1e-6
_AT_ONCE = 1 << 22  # Numbers of a table of kernels by places.


class KernelPrior(Prior):
    """A mixture of equal normal kernels, one at each of `count` centres, fitted in closed form; see `fit`.

    The whole has the mean and the covariance of what it was fitted to: the centres are drawn together by as much as the
    kernels spread (a smoothed bootstrap that keeps the variance, Silverman 1986, section 6.4). Noise N(0, 1) flows to
    it along the straight paths of flow matching, whose velocity is known for such a mixture (Lipman et al. 2023, eq. 8
    with theorem 1), so it can be followed both ways, as a flow that is trained.

    Parameters
    ----------
    latent_size : ``D``, the numbers in a code.
    count : how many centres.
    bandwidth : standard deviation of a kernel as a share of that of the whole: near 0 draws are copies of the centres,
        1 is one normal distribution.
    ode_steps : number of steps of the integration.
    active_size : how many leading numbers of a code it models; in draws the others have their mean. 0 is all of them.
    """

    mean: Tensor
    factor: Tensor
    centres: Tensor

    def __init__(
        self,
        latent_size: int,
        count: Count = 1,
        bandwidth: Annotated[float, Meta(gt=0, le=1)] = 0.8,
        ode_steps: Annotated[int, Meta(ge=1, le=1000)] = 16,
        active_size: SizeOrNone = 0,
    ) -> None:
        super().__init__()
        if not 0 <= active_size <= latent_size:
            raise MusicaeError(
                f"[prior] active_size must be 0 to {latent_size}, the size of the code, not {active_size}"
            )
        size = active_size or latent_size
        self.count, self.bandwidth, self.ode_steps, self.active_size = count, bandwidth, ode_steps, size
        self.register_buffer("mean", torch.zeros(latent_size))
        self.register_buffer("factor", torch.eye(size))
        self.register_buffer("centres", torch.zeros(count, size))

    @torch.no_grad()
    def fit(self, codes: Tensor, shrinkage: float) -> None:
        """Fit to codes ``(N, D)``, the first `count` of which become centres.

        A share `shrinkage` of the covariance is that of independent numbers of equal variance, so that directions in
        which so few codes do not differ are not left out (Ledoit and Wolf 2004).
        """
        self.mean.copy_(codes.mean(0))
        centred = (codes - self.mean)[:, : self.active_size].double()
        covariance = centred.T @ centred / max(1, len(codes) - 1)
        spread = covariance.diagonal().mean().clamp_min(_MIN_VARIANCE)
        covariance = (1 - shrinkage) * covariance + shrinkage * spread * torch.eye(len(covariance)).double()
        factor = torch.linalg.cholesky(covariance)
        self.factor.copy_(factor)
        self.centres.copy_(torch.linalg.solve_triangular(factor, centred[: self.count].T, upper=False).T)

    def loss(self, z: Tensor, rng: torch.Generator, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Raise MusicaeError: it is fitted, not trained."""
        raise MusicaeError("the prior of a personal preset is not trained; train the preset that it was made from")

    @torch.no_grad()
    def to_noise(self, z: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Follow the flow backwards, from codes ``(B, D)`` to their places in N(0, 1)."""
        z = z - self.mean
        x = torch.linalg.solve_triangular(self.factor, z[:, : self.active_size].T, upper=False).T
        return torch.cat([self._follow(x, 1.0, 0.0), z[:, self.active_size :]], dim=1)

    @torch.no_grad()
    def from_noise(self, noise: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Follow the flow from places in N(0, 1) to codes, ``(B, D)``."""
        x = self._follow(noise[:, : self.active_size], 0.0, 1.0) @ self.factor.T
        return torch.cat([x, noise[:, self.active_size :]], dim=1) + self.mean

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """Return the velocity at places ``(B, D)`` and time `t`: of noise at 0, of the mixture at 1."""
        centres = self.centres * math.sqrt(1 - self.bandwidth**2)
        variance = (t * self.bandwidth) ** 2 + (1 - t) ** 2
        norms = 0.5 * t * t / variance * centres.square().sum(1)
        parts = torch.split(x, max(1, _AT_ONCE // self.count))
        goal = torch.cat([(part @ centres.T * (t / variance) - norms).softmax(1) @ centres for part in parts])
        return goal + (t * self.bandwidth**2 - (1 - t)) / variance * (x - t * goal)

    def _follow(self, x: Tensor, start: float, end: float) -> Tensor:
        """Integrate by Heun's method, which is of second order."""
        times = torch.linspace(start, end, self.ode_steps + 1).tolist()
        for now, then in pairwise(times):
            first = self.velocity(x, now)
            second = self.velocity(x + (then - now) * first, then)
            x = x + (then - now) * 0.5 * (first + second)
        return x
