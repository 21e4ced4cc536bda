"""The loss that training minimises."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from musicae.codec import Codec
from musicae.core import Model, Prior
from musicae.shared_batch import uniform_like
from musicae.training.options import TrainingOptions

__all__ = ["Objective", "kl_weight"]


class Objective(nn.Module):
    """The loss: ``-log p(x|z) + beta KL``, plus the prior's loss on the codes, whose gradient stays in the prior."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.networks, self.likelihood = codec.networks(), codec.likelihood

    def forward(
        self,
        clean: Tensor,
        given: Tensor,
        cond: Tensor | None,
        rng: torch.Generator,
        beta: float,
        free_bits: float,
        prior_draws: int = 0,
    ) -> dict[str, Tensor]:
        """Return the loss of a batch ``(B, C, *S)`` and its parts, each a mean over the batch.

        ``loss`` is in nats a place (step or pixel); ``nll``, its parts ``nll_<name>`` and ``kl`` are in nats an
        example. ``prior`` and ``penalty`` are added to the loss unscaled. With `prior_draws` the loss is the
        prior's alone, on fixed codes, with so many draws for each.
        """
        model = cast(Model, self.networks["model"])
        if prior_draws:
            return self._prior_alone(model, clean, given, cond, rng, prior_draws)
        cond = self._with_dropout(model, cond)
        cost, costs, latent = model.reconstruction(given, clean, cond, rng, self.likelihood)
        nll, kl = cost.mean(), latent.kl().sum(1)
        places = math.prod(clean.shape[2:])
        loss = (nll + beta * (kl - free_bits).clamp_min(0).mean()) / places
        parts = {"nll": nll}
        parts |= {f"nll_{name}": part.mean() for name, part in costs.items()}
        parts["kl"] = kl.mean()
        if "prior" in self.networks:
            parts["prior"] = cast(Prior, self.networks["prior"]).loss(latent.mean.detach(), rng, cond)
            loss = loss + parts["prior"]
        if (penalty := model.penalty(latent, rng)) is not None:
            parts["penalty"] = penalty
            loss = loss + penalty
        return {"loss": loss, **parts}

    def _with_dropout(self, model: Model, cond: Tensor | None) -> Tensor | None:
        """Return a condition, left out of a share of the examples in training where the model can do without it."""
        if cond is None or model.condition is None or not model.condition.dropout or not self.training:
            return cond
        kept = uniform_like(cond.flatten(1)[:, 0]) >= model.condition.dropout
        return cond * kept.view(-1, *(1,) * (cond.ndim - 1))

    def _prior_alone(
        self, model: Model, clean: Tensor, given: Tensor, cond: Tensor | None, rng: torch.Generator, draws: int
    ) -> dict[str, Tensor]:
        """Return the prior's loss on codes of whole windows, without an optional condition that it does not know.

        Of windows with hidden parts, `given`, it gets the codes as well, if it takes them.
        """
        prior = cast(Prior, self.networks["prior"])
        if model.condition is not None and model.condition.optional:
            cond = self._with_dropout(model, cond) if prior.cond_channels else None
        with torch.no_grad():
            codes, known = model.encode(clean, cond).mean, None
            if prior.takes_given:
                hidden = (given != clean).flatten(1).any(1, keepdim=True)
                known = (model.encode(given, cond).mean * hidden).repeat_interleave(draws, 0)
            codes = codes.repeat_interleave(draws, 0)
        loss = prior.loss(codes, rng, None if cond is None else cond.repeat_interleave(draws, 0), known)
        return {"loss": loss, "prior": loss}


def kl_weight(step: int, options: TrainingOptions) -> float:
    """Return the weight of the KL at a step (see `TrainingOptions`)."""
    if options.kl_schedule == "cyclical":
        length = options.steps / max(1, options.kl_cycles)
        return options.beta * min(1.0, 2 * (step % length) / length)
    return options.beta * min(1.0, (step + 1) / options.kl_warmup) if options.kl_warmup else options.beta
