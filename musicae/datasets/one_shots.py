"""Any folder of single sounds, such as drum kits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache
from musicae.datasets.shared.prepare import Plan, batched, prepared
from musicae.datasets.shared.shards import Piece
from musicae.datasets.shared.sound_folder import grouped
from musicae.errors import MusicaeError
from musicae.ranges import Seed, Share, Weight

__all__ = ["one_shots"]

_MOST_SOUNDS = 256  # Sounds that are prepared together.
_MANY = 64  # Pieces that several processes share.


def one_shots(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    test: Share = 0.1,
    validation: Share = 0.05,
    split_by: str = "folder",
    max_length: Weight = 4.0,
) -> Windows:
    """Return one split of all single sounds under `folder`, one window of each, as the adapter reads them.

    A piece is all files in one folder directly under `folder` (a drum kit), or with `split_by` ``"file"`` a single
    file. Files longer than `max_length` windows, and silent ones, are left out. Raise MusicaeError if none is left.
    """
    folder = cache.own_folder(folder, "one-shots", "sound files")
    groups = grouped(adapter, split, folder, split_by, seed, test, validation)
    paths = [path for group in groups.values() for path in group]
    settings = {"adapter": adapter, "split_by": split_by, "max_length": max_length}
    key = cache.fingerprint(paths, folder, set="one-shots", **settings)
    batches = batched(list(groups.items()), list(map(len, groups.values())), _MOST_SOUNDS, _MOST_SOUNDS)
    plan = Plan(f"sounds under {folder}", key, batches, partial(_read, adapter, max_length), rows=True, many=_MANY)
    made, left_out = prepared(plan, adapter.spec.full_shape, adapter.spec.channels, empty=True)
    left_out.report(len(made), needed=split == "train")
    return made


def _read(adapter: Adapter, max_length: float, groups: Sequence[tuple[str, list[Path]]]) -> list[Piece]:
    """Return the windows of some pieces, float32 ``(n, C, *S)``."""
    size = adapter.spec.shape[-1]
    pieces = []
    window = f"of {size / adapter.steps_per_second:.3g} s" if adapter.steps_per_second else f"of {size} steps"
    for name, paths in groups:
        data: list[Tensor] = []
        left_out: list[tuple[str, str]] = []
        for path in paths:
            try:
                tensor = adapter.read(path).tensor
            except MusicaeError as error:
                left_out.append(("that cannot be read", str(error)))
                continue
            if tensor.shape[-1] > max_length * size:
                left_out.append((f"longer than max_length, {max_length:g} windows {window}", path.name))
            elif not tensor[..., :size].max() > 0:
                left_out.append(("silent", path.name))
            else:
                data.append(F.pad(tensor[..., :size], (0, size - min(size, tensor.shape[-1]))))
        stacked = torch.stack(data) if data else torch.zeros(0, *adapter.spec.full_shape)
        pieces.append(Piece(name, stacked.numpy(), np.arange(len(data)), tuple(left_out)))
    return pieces
