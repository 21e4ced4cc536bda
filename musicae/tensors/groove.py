"""The tensor of a groove: which drums are struck, how loudly, and how far off the grid, as groups of channels.

Each group has a row for each of nine drum classes, ``(27, T)`` in all, a column for each sixteenth: hits, 0 or 1; their
loudness, 0 to 1; their offsets from the grid, -.5 to +.5 steps, late ones above 0 (Gillick et al., ICML 2019). Both
count only where there is a hit. What is not known of a hit has values of its own, which no played one has: a loudness
and an offset of 0, and where it is not known which drum is struck, a hit of one half in every row.

Kept in files, a step is a column of bytes (`ROWS`), and its length in time is beside it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae.core import Group, Spec
from musicae.errors import MusicaeError

__all__ = [
    "DRUMS",
    "GROUPS",
    "HITS",
    "MAX_OFFSET",
    "OFFSETS",
    "ROWS",
    "TAP",
    "VELOCITIES",
    "check",
    "durations",
    "flattened",
    "pack",
    "spec",
    "tapped",
    "unpack",
    "varied",
]

DRUMS = 9

GROUPS = (
    Group("drums", DRUMS, "bernoulli"),
    Group("drums_velocity", DRUMS, "gaussian"),
    Group("drums_offset", DRUMS, "gaussian"),
)

HITS, VELOCITIES, OFFSETS = (slice(i * DRUMS, (i + 1) * DRUMS) for i in range(3))
"""The channels of each group."""

MAX_OFFSET = 0.49
"""How far off the grid a hit is written, in steps, so that it is read back on its step."""

TAP = 0.5
"""A hit of which it is not known what drum is struck."""

ROWS = 2 * DRUMS + 2
"""How many bytes a step takes: velocities, 0 where nothing is struck, offsets, and the step's length."""

_MAX_VELOCITY = 127
_CENTRE, _SCALE = 128, 254  # Of the byte of an offset: it is exact to 1/254 of a step.
_UNIT = 0.02  # Of a step's length, in milliseconds.

# How much grooves are varied in training: standard deviations, of logarithms, of loudness and of steps.
_GAIN, _FEEL, _LOUDNESS_JITTER, _LEAN, _JITTER = 0.05, 0.1, 0.02, 0.015, 0.01
_LOSING = 0.2  # The largest share of drums that are lost.


def spec(steps: int) -> Spec:
    """Return the spec of windows of so many steps."""
    return Spec.joint((steps,), GROUPS)


def check(spec: Spec) -> None:
    """Raise MusicaeError for a spec that is not that of grooves."""
    if spec.groups != GROUPS:
        raise MusicaeError("[corruption] this one is for grooves; use it with the adapter 'groove'")


def flattened(x: Tensor) -> Tensor:
    """Return grooves ``(B, 27, T)`` of which loudness and timing are not known."""
    flat = torch.zeros_like(x)
    flat[:, HITS] = x[:, HITS]
    return flat


def tapped(x: Tensor, least: Tensor | None = None) -> Tensor:
    """Return grooves ``(B, 27, T)`` as they are tapped: of each step the loudest hit, on no drum in particular.

    Hits softer than `least` ``(B,)``, 0 to 1, are not tapped, but never all of a groove.
    """
    struck = x[:, HITS] > 0
    loud = torch.where(struck, x[:, VELOCITIES], -1.0)
    velocity, drum = loud.max(1, keepdim=True)
    if least is not None:
        bound = torch.minimum(least.to(x).view(-1, 1, 1), velocity.amax(2, keepdim=True))
        velocity = torch.where(velocity >= bound, velocity, -1.0)
    offset = x[:, OFFSETS].gather(1, drum)
    tap = velocity >= 0
    rows = (TAP * tap, velocity.clamp_min(0), offset * tap)
    return torch.cat([row.to(x).expand(-1, DRUMS, -1) for row in rows], dim=1)


def varied(x: Tensor, bar: int, generator: torch.Generator) -> Tensor:
    """Return grooves ``(B, 27, T)`` as other people may play them on other kits, for training.

    The whole and each drum are louder or softer, and earlier or later; the feel is stronger or weaker; each hit differs
    a little. Some lose drums, and they begin with any of their bars, of so many steps.
    """
    count = len(x)

    def noise(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=generator).to(x)

    hits, loud, offset = x[:, HITS], x[:, VELOCITIES], x[:, OFFSETS]
    gain = (_GAIN * (noise(1, 1) + noise(DRUMS, 1))).exp()
    loud = (loud * gain + _LOUDNESS_JITTER * noise(DRUMS, x.shape[2])).clamp(1 / _MAX_VELOCITY, 1)
    lean = _LEAN * (noise(1, 1) + noise(DRUMS, 1)) + _JITTER * noise(DRUMS, x.shape[2])
    offset = (offset * (_FEEL * noise(1, 1)).exp() + lean).clamp(-0.5, 0.5)
    lost = torch.rand(count, DRUMS, generator=generator) < _LOSING * torch.rand(count, 1, generator=generator)
    kept = hits * ~lost.to(x.device).unsqueeze(2)
    hits = torch.where(kept.sum((1, 2), keepdim=True) > 1, kept, hits)
    made = torch.cat([hits, loud * hits, offset * hits], dim=1)
    length = x.shape[2]
    turns = torch.randint(max(1, length // bar), (count, 1), generator=generator)
    index = ((torch.arange(length) + bar * turns) % length).to(x.device)
    return made.gather(2, index.unsqueeze(1).expand_as(made))


# --- packed ----------------------------------------------------------------------------------------------------------


def pack(values: NDArray[np.float32], milliseconds: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return a groove ``(27, L)`` and the length of each step ``(L,)`` as bytes ``(ROWS, L)``."""
    packed = np.zeros((ROWS, values.shape[1]), np.uint8)
    struck = values[HITS] > 0
    packed[:DRUMS] = np.clip(np.rint(_MAX_VELOCITY * values[VELOCITIES]), 1, _MAX_VELOCITY) * struck
    packed[DRUMS : 2 * DRUMS] = _CENTRE + np.rint(_SCALE * np.clip(values[OFFSETS], -0.5, 0.5)) * struck
    length = np.clip(np.rint(milliseconds / _UNIT), 1, 0xFFFF).astype(np.int64)
    packed[2 * DRUMS], packed[2 * DRUMS + 1] = length >> 8, length & 0xFF
    return packed


def unpack(packed: Tensor) -> Tensor:
    """Return the grooves ``(B, 27, T)`` of bytes ``(B, ROWS, T)``, float32."""
    velocity = packed[:, :DRUMS].float() / _MAX_VELOCITY
    struck = (velocity > 0).float()
    offset = (packed[:, DRUMS : 2 * DRUMS].float() - _CENTRE) / _SCALE
    return torch.cat([struck, velocity, offset * struck], dim=1)


def durations(packed: Tensor) -> Tensor:
    """Return the length of each step of bytes ``(B, ROWS, T)``, in milliseconds: ``(B, 1, T)``, float32."""
    high, low = (packed[:, row : row + 1].float() for row in (2 * DRUMS, 2 * DRUMS + 1))
    return (256 * high + low) * _UNIT
