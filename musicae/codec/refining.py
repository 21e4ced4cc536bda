"""Improves codes by gradient descent, window by window, beyond what an encoder gives in one go.

An encoder that serves all windows alike gives few of them their best code (Cremer, Li and Duvenaud 2018, "Inference
suboptimality in variational autoencoders"). A few steps lead from there to a better one (Kim et al. 2018,
"Semi-amortized variational autoencoders"); the decoder stays as it is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.core import Latent, Likelihood, Model
from musicae.tensors.random import generator

__all__ = ["refined"]

_RATE = 0.6  # Of the first step, in standard deviations of the posterior; it falls to nothing.
_PRIOR_WEIGHT = 0.3  # With .08, as band-2bar was trained, what lies half-way between codes thins out; 1 is less exact.
_BATCH = 64  # Windows at a time: gradients take memory.


def refined(model: Model, likelihood: Likelihood, x: Tensor, latent: Latent, cond: Tensor | None) -> Tensor:
    """Return better means ``(B, D)`` of the codes of windows `x` ``(B, C, *S)``, after `Model.refine_steps` steps.

    They minimise the cost of the window at points drawn around the mean, so that the codes nearby are good as well, and
    that of the code under N(0, 1), which keeps it where the prior was trained. What comes back exactly stays as it is;
    each result depends on its window only.
    """
    mean = latent.mean.clone()
    made = model.decode(mean, lambda params: likelihood.mode(params.float()), cond)
    inexact = (likelihood.distance(x, made) > 0).nonzero()[:, 0]
    for start in range(0, len(inexact), _BATCH):
        rows = inexact[start : start + _BATCH]
        spread = torch.ones_like(mean[rows]) if latent.logvar is None else (latent.logvar[rows] / 2).exp()
        given = None if cond is None else cond[rows]
        mean[rows] = _descend(model, likelihood, x[rows], mean[rows], spread, given)
    return mean


def _descend(
    model: Model, likelihood: Likelihood, x: Tensor, mean: Tensor, spread: Tensor, cond: Tensor | None
) -> Tensor:
    """Take the steps, in units of the posterior's `spread`, by Adam."""
    moved = torch.zeros_like(mean, requires_grad=True)
    optimizer = torch.optim.Adam([moved], betas=(0.9, 0.99))
    noise = torch.randn(model.refine_steps, mean.shape[1], generator=generator(0)).to(mean)
    for step in range(model.refine_steps):
        optimizer.param_groups[0]["lr"] = _RATE * (1 - step / model.refine_steps)
        with torch.enable_grad():
            z = mean + moved * spread
            cost = likelihood.nll(model.params(z + noise[step] * spread, x, cond).float(), x).sum()
            loss = cost + 0.5 * _PRIOR_WEIGHT * z.square().sum()
        (moved.grad,) = torch.autograd.grad(loss, moved)
        optimizer.step()
    return mean + moved.detach() * spread
