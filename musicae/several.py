"""Corruptions one after another, as one.

It finds its parts in the registry, which knows the modules in `musicae.corruptions`: so it is no module there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from . import registry
from .core import Windows
from .errors import MusicaeError

__all__ = ["Several"]


class Several:
    """Corruptions one after another: ``parts = [{name = "clip", share = 0.2}, {name = "mix-noise"}]``.

    Each part has the `name` of a corruption, its settings, and the `share` of the examples that it is for (all, if it
    says none).
    """

    def __init__(self, parts: Sequence[Mapping[str, Any]] = ()) -> None:
        self.parts: list[tuple[float, Any]] = []
        for part in parts:
            settings = dict(part) if isinstance(part, Mapping) else {}
            name, share = settings.pop("name", None), settings.pop("share", 1.0)
            if not isinstance(name, str):
                raise MusicaeError('[corruption] each of parts must be named, as {name = "clip", share = 0.2}')
            if not isinstance(share, int | float) or not 0 <= share <= 1:
                raise MusicaeError(f"[corruption] the share of '{name}' must be 0 to 1, not {share}")
            self.parts.append((float(share), registry.build("corruptions", name, **settings)))
        if not self.parts:
            raise MusicaeError("[corruption] 'several' needs parts, the corruptions one after another")

    def feed(self, windows: Windows, noises: Windows | None) -> None:
        """Give the parts that take them the training data and recorded noise."""
        for _, part in self.parts:
            if hasattr(part, "feed"):
                part.feed(windows, noises)

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch ``(B, C, *S)`` with all that was drawn for each example."""
        for share, part in self.parts:
            drawn = torch.rand(len(batch), *(1,) * (batch.ndim - 1), generator=generator) < share
            batch = torch.where(drawn.to(batch.device), part(batch, generator), batch)
        return batch
