"""Several corruptions one after another."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from musicae import registry
from musicae.core import Corruption, Spec, Windows
from musicae.errors import MusicaeError

__all__ = ["Chain"]


class Chain(Corruption):
    """Corruptions one after another: ``parts = [{name = "clip", share = 0.2}, {name = "mix-noise"}]``.

    Parameters
    ----------
    parts : for each, the `name` of a corruption, its settings, and the `share` of the examples that get it (1, all, by
        default).
    """

    def __init__(self, parts: Sequence[Mapping[str, Any]] = ()) -> None:
        self.parts = [_build(part) for part in parts]
        if not self.parts:
            raise MusicaeError('[corruption] \'chain\' needs parts, such as [{name = "clip"}, {name = "mix-noise"}]')

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with the corruptions drawn for each example."""
        for share, part in self.parts:
            drawn = torch.rand(len(batch), *(1,) * (batch.ndim - 1), generator=generator) < share
            batch = torch.where(drawn.to(batch.device), part(batch, generator), batch)
        return batch

    def bind(self, spec: Spec) -> Chain:
        """Return the chain with all parts bound."""
        bound = copy.copy(self)
        bound.parts = [(share, part.bind(spec)) for share, part in self.parts]
        return bound

    def feed(self, windows: Windows, noises: Windows | None) -> None:
        """Pass the training data and recorded noise on to all parts."""
        for _, part in self.parts:
            part.feed(windows, noises)


def _build(part: Mapping[str, Any]) -> tuple[float, Corruption]:
    """Return the share of one part, and its corruption."""
    settings = dict(part) if isinstance(part, Mapping) else {}
    name, share = settings.pop("name", None), settings.pop("share", 1.0)
    if not isinstance(name, str):
        raise MusicaeError('[corruption] each of parts needs a name, as in {name = "clip", share = 0.2}')
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise MusicaeError(f"[corruption] the share of '{name}' must be 0 to 1, not {share}")
    return float(share), registry.build("corruptions", name, **settings)
