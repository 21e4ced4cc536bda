"""The optimizers of a training, and the schedule of their learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import nn
from torch.optim import Optimizer

from musicae.errors import MusicaeError
from musicae.training.options import TrainingOptions

__all__ = ["is_muon", "learning_rate", "make_optimizers", "moment_keys", "set_learning_rate"]

_MUON_RATE = 2  # Muon's learning rate over AdamW's; 1 was worse.
_DECAY_SHARE = 0.2  # Share of the steps in which "wsd" decays, by 1 - sqrt (Hägele et al. 2024).
_RISE_SHARE = 0.3  # Share of the steps in which "one-cycle" rises (Smith and Topin 2018).
_BETAS = (0.9, 0.99)


def make_optimizers(options: TrainingOptions, parameters: Mapping[str, nn.Parameter]) -> list[Optimizer]:
    """Return the optimizers of named `parameters`: Muon for the matrices, if it is chosen, and AdamW for the rest.

    Raise MusicaeError if torch has no Muon.
    """
    if options.optimizer == "muon" and tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 9):
        raise MusicaeError("[training] optimizer 'muon' needs torch 2.9 or later; update torch, or set 'adamw'")
    matrices = {
        name
        for name, parameter in parameters.items()
        if options.optimizer == "muon" and parameter.ndim == 2 and not name.endswith("bias")
    }
    rest = [parameter for name, parameter in parameters.items() if name not in matrices]
    optimizers: list[Optimizer] = []
    if matrices:
        chosen = [parameter for name, parameter in parameters.items() if name in matrices]
        optimizers.append(torch.optim.Muon(chosen, weight_decay=options.weight_decay, adjust_lr_fn="match_rms_adamw"))
    if rest:
        fused = rest[0].device.type in ("cpu", "cuda")  # Not every backend has the fused kernel.
        optimizers.append(torch.optim.AdamW(rest, weight_decay=options.weight_decay, betas=_BETAS, fused=fused))
    return optimizers


def is_muon(optimizer: Optimizer) -> bool:
    """Tell whether it is Muon and not AdamW, even if accelerate has wrapped it: only Muon has `momentum`."""
    return "momentum" in optimizer.param_groups[0]


def moment_keys(optimizer: Optimizer) -> tuple[str, ...]:
    """Return the names of an optimizer's state for each parameter, except the step."""
    return ("momentum_buffer",) if is_muon(optimizer) else ("exp_avg", "exp_avg_sq")


def set_learning_rate(optimizers: Iterable[Optimizer], rate: float) -> None:
    """Set the learning rate of all parameters to `rate`, Muon's to twice that."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate * (_MUON_RATE if is_muon(optimizer) else 1)


def learning_rate(step: int, steps: int, options: TrainingOptions) -> float:
    """Return the learning rate at a step of a phase of `steps` (see `TrainingOptions`)."""
    warmup = round(_RISE_SHARE * steps) if options.schedule == "one-cycle" else options.warmup
    if step < warmup:
        return options.lr * (step + 1) / warmup
    if options.schedule == "constant":
        return options.lr
    if options.schedule == "wsd":
        decay = _DECAY_SHARE * steps
        return options.lr * (1 - math.sqrt(max(0.0, (step - steps + decay) / decay)))
    return options.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
