"""How the numbers of pictures are ordered in memory."""

from __future__ import annotations

import torch

from musicae.core import Model

__all__ = ["picture_layout"]


def picture_layout(model: Model, axes: int, device: torch.device) -> torch.memory_format:
    """Return the memory format in which convolutions of windows with `axes` spatial axes are fastest on a device."""
    faster = axes == 2 and (model.channels_last or device.type != "cpu")
    return torch.channels_last if faster else torch.preserve_format
