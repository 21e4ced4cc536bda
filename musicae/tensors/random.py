"""Random numbers that depend only on seeds."""

from __future__ import annotations

import torch

__all__ = ["generator"]


def generator(*seeds: int) -> torch.Generator:
    """Return a CPU generator whose stream depends on all of `seeds`."""
    mixed = 0
    for seed in seeds:
        mixed = (mixed * 6364136223846793005 + seed + 1442695040888963407) % 2**63
    return torch.Generator().manual_seed(mixed)
