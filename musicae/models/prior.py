"""A second stage: a distribution over codes, to draw from where N(0, 1) does not fit them."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import MusicaeError

__all__ = ["FlowPrior"]


class _Residual(nn.Module):
    """A residual MLP layer whose scale and shift depend on the time."""

    def __init__(self, width: int, time: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.time = nn.Linear(time, 2 * width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        scale, shift = self.time(time).chunk(2, dim=-1)
        out: Tensor = x + self.down(F.silu(self.up(self.norm(x) * (1 + scale) + shift)))
        return out


class FlowPrior(nn.Module):
    """Flow matching along straight lines from N(0, 1) to the codes (Lipman et al. 2023; Liu et al. 2023).

    The flow can be followed both ways, so it also gives each code its place in the noise, where
    the space between two codes is filled as densely with real ones as anywhere.
    Codes are centred and divided by one number for all, so that those parts of a code that the
    model does not use stay small and cost the flow nothing. With `classes` > 0 it is a distribution for each class:
    `cond` ``(B, classes)`` says which. With `numbers` > 0 it is a distribution over so many first numbers of a code,
    those that say most where they are sorted; the others are in a draw what they are in the mean.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, latent_size: int, width: int = 448, depth: int = 4, steps: int = 12, classes: int = 0, numbers: int = 0
    ) -> None:
        super().__init__()
        if not 0 <= numbers <= latent_size:
            raise MusicaeError(f"[prior] numbers must be 0 to {latent_size}, the size of the code, not {numbers}")
        self.steps, self.numbers = steps, numbers or latent_size
        self.register_buffer("mean", torch.zeros(latent_size))
        self.register_buffer("scale", torch.ones(1))
        self.enter, self.leave = nn.Linear(self.numbers, width), nn.Linear(width, self.numbers)
        self.classes = nn.Linear(classes, width, bias=False) if classes else None
        self.time = nn.Sequential(nn.Linear(64, 128), nn.SiLU())
        self.layers = nn.ModuleList(_Residual(width, 128) for _ in range(depth))

    def velocity(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the flow's velocity at `x` ``(B, D)`` and times `t` ``(B,)`` in [0, 1]: noise at 0, codes at 1."""
        rates = torch.exp(torch.arange(32, device=t.device) * (-math.log(1000.0) / 31)) * 1000.0
        angles = t.unsqueeze(1) * rates
        time = self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        hidden = self.enter(x)
        if self.classes is not None:
            if cond is None:
                raise MusicaeError("this prior is conditional: give it a label of its classes")
            hidden = hidden + self.classes(cond)
        for layer in self.layers:
            hidden = layer(hidden, time)
        out: Tensor = self.leave(hidden)
        return out

    def loss(self, z: Tensor, generator: torch.Generator, cond: Tensor | None = None) -> Tensor:
        """Return the mean squared error of the velocity for codes `z` ``(B, D)``; tracks their mean and spread."""
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(z.mean(0), 0.01)
                self.scale.lerp_(z[:, : self.numbers].std(0).square().mean().sqrt().clamp_min(1e-4), 0.01)
        goal = ((z - self.mean) / self.scale)[:, : self.numbers]
        start = torch.randn(goal.shape, generator=generator).to(z)
        t = torch.sigmoid(torch.randn(len(z), generator=generator)).to(z)
        mixed = torch.lerp(start, goal, t.unsqueeze(1))
        return F.mse_loss(self.velocity(mixed, t, cond).float(), goal - start)

    @torch.no_grad()
    def sample(
        self, n: int, generator: torch.Generator | None = None, temperature: float = 1.0, cond: Tensor | None = None
    ) -> Tensor:
        """Draw codes ``(n, D)``; `temperature` scales the starting noise."""
        noise = torch.randn(n, len(self.mean), generator=generator).to(self.mean) * temperature
        noise[:, self.numbers :] = 0.0
        return self.from_noise(noise, cond)

    @torch.no_grad()
    def to_noise(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Follow the flow backwards, from codes ``(B, D)`` to their places in N(0, 1)."""
        return self._follow((z - self.mean) / self.scale, 1.0, 0.0, cond)

    @torch.no_grad()
    def from_noise(self, noise: Tensor, cond: Tensor | None = None) -> Tensor:
        """Follow the flow from places in N(0, 1) to codes, ``(B, D)``."""
        return self._follow(noise, 0.0, 1.0, cond) * self.scale + self.mean

    def _follow(self, x: Tensor, start: float, end: float, cond: Tensor | None) -> Tensor:
        """Integrate by Heun's method, a second-order one; what the flow does not know stays where it is."""
        x, rest = x[:, : self.numbers], x[:, self.numbers :]
        times = torch.linspace(start, end, self.steps + 1).to(x)
        for now, then in pairwise(times):
            first = self.velocity(x, now.expand(len(x)), cond)
            second = self.velocity(x + (then - now) * first, then.expand(len(x)), cond)
            x = x + (then - now) * 0.5 * (first + second)
        return torch.cat([x, rest], dim=1)
