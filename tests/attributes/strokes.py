"""Pictures of a stroke."""

from __future__ import annotations

import torch
from torch import Tensor


def stroke(width: float = 3.0, lean: float = 0.0, size: int = 28) -> Tensor:
    """Return a stroke from bottom to top ``(1, 1, size, size)``, `width` pixels across, that goes to the right by
    `lean` pixels a row."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    middle = (size - 1) / 2 - lean * (rows - (size - 1) / 2)
    inside = ((columns - middle).abs() <= width / 2) & (rows >= 4) & (rows < size - 4)
    return inside.float()[None, None]
