"""A flow prior: a distribution over codes, to draw from where N(0, 1) does not fit them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, NamedTuple

import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Prior
from musicae.errors import MusicaeError
from musicae.ranges import Depth, Size, SizeOrNone
from musicae.shared_batch import normal, whole

__all__ = ["FlowPrior"]

_TRACKING = 0.01  # How fast the mean and the spread of the codes follow those of a batch, a share per step.
_MIN_SPREAD = 1e-4
_FREQUENCIES = 32  # Of the sines and cosines that encode the time.
_MAX_FREQUENCY = 1000.0
_TIME_WIDTH = 128


class _Residual(nn.Module):
    """A residual MLP layer whose scale and shift depend on the time."""

    def __init__(self, width: int, time: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(time, 2 * width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        scale, shift = self.modulation(time).chunk(2, dim=-1)
        out: Tensor = x + self.down(F.silu(self.up(self.norm(x) * (1 + scale) + shift)))
        return out


class _Beside(NamedTuple):
    """What the velocity depends on besides the place: a condition, a given code and whether it is `known` ``(B, 1)``.

    They are pooled and scaled, the same all along a path.
    """

    cond: Tensor | None = None
    given: Tensor | None = None
    known: Tensor | None = None


_NOTHING = _Beside()


class FlowPrior(Prior):
    """Flow matching along straight lines from N(0, 1) to the codes (Lipman et al. 2023; Liu et al. 2023).

    The flow can be followed both ways, so it also gives each code a place in the noise, where the space between two
    codes is as densely filled with real ones as any other. Codes are centred and all divided by the same number, so
    that parts of a code that the model does not use stay small and cost the flow nothing.

    Parameters
    ----------
    latent_size : ``D``, the numbers in a code.
    width, depth : of the residual MLP that gives the flow's velocity.
    ode_steps : number of steps of the integration.
    cond_channels : ``K`` of the condition; 0 ignores conditions.
    active_size : how many leading numbers of a code it models (the most informative ones, in a sorted code); in draws
        the others have their mean. 0 is all of them.
    linear : add to the MLP a multiple of the place itself, and of a given code, by number and time. That is all it
        takes for independent normal codes, so the MLP learns the rest, many times as fast.
    cond_parts : into how many parts of its length, each averaged, a condition that runs along is divided.
    given : take the code of a window with hidden parts, too (see `Prior.takes_given`).
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        latent_size: int,
        width: Size = 448,
        depth: Depth = 4,
        ode_steps: Annotated[int, Meta(ge=1, le=1000)] = 12,
        cond_channels: SizeOrNone = 0,
        active_size: SizeOrNone = 0,
        linear: bool = False,
        cond_parts: Size = 1,
        given: bool = False,
    ) -> None:
        super().__init__()
        if not 0 <= active_size <= latent_size:
            raise MusicaeError(
                f"[prior] active_size must be 0 to {latent_size}, the size of the code, not {active_size}"
            )
        self.ode_steps, self.active_size, self.cond_channels = ode_steps, active_size or latent_size, cond_channels
        self.cond_parts, self.takes_given = cond_parts, given
        self.register_buffer("mean", torch.zeros(latent_size))
        self.register_buffer("scale", torch.ones(1))
        self.project_in, self.project_out = nn.Linear(self.active_size, width), nn.Linear(width, self.active_size)
        self.condition = nn.Linear(cond_channels * cond_parts, width, bias=False) if cond_channels else None
        self.given = nn.Linear(self.active_size, width) if given else None
        self.time = nn.Sequential(nn.Linear(2 * _FREQUENCIES, _TIME_WIDTH), nn.SiLU())
        self.layers = nn.ModuleList(_Residual(width, _TIME_WIDTH) for _ in range(depth))
        self.linear = nn.Linear(_TIME_WIDTH, self.active_size) if linear else None
        self.linear_given = nn.Linear(_TIME_WIDTH, self.active_size) if linear and given else None
        if self.linear is not None:
            for layer in (self.linear, self.linear_given, self.project_out):
                if layer is not None:
                    nn.init.zeros_(layer.weight)

    def velocity(self, x: Tensor, t: Tensor, beside: _Beside = _NOTHING) -> Tensor:
        """Return the flow's velocity at `x` ``(B, D)`` and times `t` ``(B,)`` in [0, 1]: noise at 0, codes at 1."""
        step = -math.log(_MAX_FREQUENCY) / (_FREQUENCIES - 1)
        rates = torch.exp(torch.arange(_FREQUENCIES, device=t.device) * step) * _MAX_FREQUENCY
        angles = t.unsqueeze(1) * rates
        time = self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        hidden = self.project_in(x)
        if beside.cond is not None and self.condition is not None:
            hidden = hidden + self.condition(beside.cond)
        if beside.given is not None and self.given is not None:
            hidden = hidden + self.given(beside.given) * beside.known
        for layer in self.layers:
            hidden = layer(hidden, time)
        out: Tensor = self.project_out(hidden)
        if self.linear is not None:
            out = out + self.linear(time) * x
        if beside.given is not None and self.linear_given is not None:
            out = out + self.linear_given(time) * beside.given
        return out

    def _beside(self, cond: Tensor | None, given: Tensor | None) -> _Beside:
        if self.condition is not None:
            if cond is None:
                raise MusicaeError("this prior is conditional: give it a label of its classes")
            cond = F.adaptive_avg_pool1d(cond.view(*cond.shape[:2], -1), self.cond_parts).flatten(1)
        if given is None or not self.takes_given:
            return _Beside(cond)
        known = given.any(1, keepdim=True)
        return _Beside(cond, self._scaled(given) * known, known)

    def _scaled(self, z: Tensor) -> Tensor:
        return ((z - self.mean) / self.scale)[:, : self.active_size]

    def loss(self, z: Tensor, rng: torch.Generator, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Return the mean squared error of the velocity for codes `z` ``(B, D)``; tracks their mean and spread."""
        if self.training:
            with torch.no_grad():
                codes = whole(z)
                self.mean.lerp_(codes.mean(0), _TRACKING)
                spread = codes[:, : self.active_size].std(0).square().mean().sqrt()
                self.scale.lerp_(spread.clamp_min(_MIN_SPREAD), _TRACKING)
        goal = self._scaled(z)
        start = normal(goal.shape, rng).to(z)
        t = torch.sigmoid(normal((len(z),), rng)).to(z)
        mixed = torch.lerp(start, goal, t.unsqueeze(1))
        return F.mse_loss(self.velocity(mixed, t, self._beside(cond, given)).float(), goal - start)

    @torch.no_grad()
    def to_noise(self, z: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Follow the flow backwards, from codes ``(B, D)`` to their places in N(0, 1)."""
        return self._follow((z - self.mean) / self.scale, 1.0, 0.0, self._beside(cond, given))

    @torch.no_grad()
    def from_noise(self, noise: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Follow the flow from places in N(0, 1) to codes, ``(B, D)``."""
        return self._follow(noise, 0.0, 1.0, self._beside(cond, given)) * self.scale + self.mean

    def _follow(self, x: Tensor, start: float, end: float, beside: _Beside) -> Tensor:
        """Integrate by Heun's method, which is of second order; numbers that are not active stay as they are."""
        x, rest = x[:, : self.active_size], x[:, self.active_size :]
        times = torch.linspace(start, end, self.ode_steps + 1).to(x)
        for now, then in pairwise(times):
            first = self.velocity(x, now.expand(x.shape[0]), beside)
            second = self.velocity(x + (then - now) * first, then.expand(x.shape[0]), beside)
            x = x + (then - now) * 0.5 * (first + second)
        return torch.cat([x, rest], dim=1)
