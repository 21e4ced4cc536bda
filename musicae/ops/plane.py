"""The plane of codes of two numbers, such as the map of digits."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.errors import MusicaeError

__all__ = ["check_plane", "code_at", "has_plane", "place_of", "plane"]

_SIDE = 20  # Pictures along each side.


def has_plane(codec: Codec) -> bool:
    """Tell whether a codec makes pictures of codes of two numbers."""
    return codec.model.latent_size == 2 and len(codec.spec.shape) == 2


def check_plane(codec: Codec) -> None:
    """Raise MusicaeError for a codec that has no plane."""
    if not has_plane(codec):
        raise MusicaeError(f"the codes of '{codec.preset.name}' are no plane; use a preset with two numbers a code")


def plane(codec: Codec) -> tuple[Tensor, list[float], str]:
    """Decode the plane of a code of two numbers: pictures ``(P, P, C, H, W)``, the numbers, and under which condition.

    The numbers are the middles of equal shares of N(0, 1), rising; the second is along the first axis.
    """
    at = torch.special.ndtri((torch.arange(_SIDE) + 0.5) / _SIDE)
    grid = torch.stack(torch.meshgrid(at, at, indexing="xy"), dim=-1).flatten(0, 1)
    cond, under = None, ""
    if codec.model.condition is not None:
        cond, under = codec.label_conditions(torch.zeros(len(grid))), ", class 0"
    return codec.decode(grid, cond=cond).view(_SIDE, _SIDE, *codec.spec.full_shape), at.tolist(), under


def code_at(across: float, down: float) -> Tensor:
    """Return the code ``(1, 2)`` at a place of the plane as it is drawn, 0 to 1 from the left and from the top."""
    edge = 0.5 / _SIDE
    share = torch.tensor([[across, 1 - down]]).clamp(edge, 1 - edge)
    code: Tensor = torch.special.ndtri(share)
    return code


def place_of(code: Tensor) -> tuple[float, float]:
    """Return where on the plane as it is drawn a code ``(2,)`` lies, from the left and from the top."""
    across, up = torch.special.ndtr(code).tolist()
    return across, 1 - up
