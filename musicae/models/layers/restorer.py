"""The base of networks without a code, which turn corrupted tensors into clean ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Latent, Model, Spec
from musicae.errors import MusicaeError

__all__ = ["Restorer", "StreamingRestorer", "check_sound"]


class Restorer(Model):
    """A model that restores and has no code."""

    restores = True

    def forward(
        self, given: Tensor, target: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Latent]:
        """Return the parameters ``(B, C, *S)`` of the restored `given`, and an empty code."""
        return self.restore(given, cond), Latent.none(given)


class StreamingRestorer(Restorer):
    """A model that restores a stream of sound, `delay` samples late, in blocks of whole hops of `multiple` samples."""

    streams = True

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the restored samples ``(B, 1, T)`` of `x`, aligned with it; `multiple` divides ``T``."""
        flush = -(-self.delay // self.multiple) * self.multiple
        out, _ = self.stream(F.pad(x, (0, flush)), self.initial_state(len(x)))
        return out[..., self.delay : self.delay + x.shape[-1]]


def check_sound(name: str, spec: Spec, hop_length: int) -> None:
    """Raise MusicaeError unless `spec` has one channel of samples, and `hop_length` divides the window."""
    if len(spec.shape) != 1 or spec.channels != 1:
        raise MusicaeError(f"[model] '{name}' takes one channel of samples; use it with the adapter 'audio'")
    if hop_length < 1 or spec.shape[0] % hop_length:
        raise MusicaeError(
            f"[model] hop_length must be 1 or more and divide the window of {spec.shape[0]} samples, not {hop_length}"
        )
