"""A second stage: a distribution over codes, to draw from where N(0, 1) does not fit them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["FlowPrior"]


class _Residual(nn.Module):
    """A residual MLP layer whose scale and shift depend on the time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.time = nn.Linear(width, 2 * width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        scale, shift = self.time(time).chunk(2, dim=-1)
        out: Tensor = x + self.down(F.silu(self.up(self.norm(x) * (1 + scale) + shift)))
        return out


class FlowPrior(nn.Module):
    """Flow matching along straight lines from N(0, 1) to the codes (Lipman et al. 2023; Liu et al. 2023)."""

    mean: Tensor
    std: Tensor

    def __init__(self, latent_size: int, width: int = 512, depth: int = 4, steps: int = 24) -> None:
        super().__init__()
        self.steps, self.width = steps, width
        self.register_buffer("mean", torch.zeros(latent_size))
        self.register_buffer("std", torch.ones(latent_size))
        self.enter, self.leave = nn.Linear(latent_size, width), nn.Linear(width, latent_size)
        self.time = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(_Residual(width) for _ in range(depth))

    def velocity(self, x: Tensor, t: Tensor) -> Tensor:
        """Return the flow's velocity at `x` ``(B, D)`` and times `t` ``(B,)`` in [0, 1]."""
        rates = torch.exp(torch.arange(32, device=t.device) * (-math.log(1000.0) / 31)) * 1000.0
        angles = t.unsqueeze(1) * rates
        time = self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        hidden = self.enter(x)
        for layer in self.layers:
            hidden = layer(hidden, time)
        out: Tensor = self.leave(hidden)
        return out

    def loss(self, z: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of the velocity for codes `z` ``(B, D)``; tracks their mean and spread."""
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(z.mean(0), 0.01)
                self.std.lerp_(z.std(0).clamp_min(1e-4), 0.01)
        goal = (z - self.mean) / self.std
        start = torch.randn(z.shape, generator=generator).to(z)
        t = torch.sigmoid(torch.randn(len(z), generator=generator)).to(z)
        mixed = torch.lerp(start, goal, t.unsqueeze(1))
        return F.mse_loss(self.velocity(mixed, t).float(), goal - start)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None, temperature: float = 1.0) -> Tensor:
        """Draw codes ``(n, D)`` by Heun's method; `temperature` scales the starting noise."""
        x = torch.randn(n, len(self.mean), generator=generator).to(self.mean) * temperature
        times = torch.linspace(0, 1, self.steps + 1).to(x)
        for now, then in zip(times[:-1], times[1:], strict=True):
            first = self.velocity(x, now.expand(n))
            second = self.velocity(x + (then - now) * first, then.expand(n))
            x = x + (then - now) * 0.5 * (first + second)
        return x * self.std + self.mean
