"""Made-up beats: a step sounds every two, three or four."""

from __future__ import annotations

from pathlib import Path

import torch

from musicae.core import Adapter, Windows

_SEEDS = {"train": 0, "validation": 1, "test": 2}


def beats(adapter: Adapter, split: str, folder: Path | None, *, size: int = 64) -> Windows:
    """Return `size` windows of `split`, each a piece of its own."""
    rng = torch.Generator().manual_seed(_SEEDS[split])
    period = torch.randint(2, 5, (size, 1, 1), generator=rng)
    start = torch.randint(0, 4, (size, 1, 1), generator=rng)
    steps = torch.arange(adapter.spec.shape[0])
    data = ((steps + start) % period == 0).float()
    return Windows(data, torch.arange(size), 1, [f"{split} {i}" for i in range(size)])
