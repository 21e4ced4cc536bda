"""Any folder of single sounds, such as drum kits."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache
from musicae.datasets.shared.sound_folder import grouped
from musicae.errors import MusicaeError
from musicae.ranges import Seed, Share, Weight

__all__ = ["one_shots"]


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
    return cache.cached(key, lambda: _read(adapter, groups, max_length))


def _read(adapter: Adapter, groups: dict[str, list[Path]], max_length: float) -> Windows:
    size = adapter.spec.shape[-1]
    data: list[Tensor] = []
    pieces: list[int] = []
    unreadable: list[str] = []
    for i, group in enumerate(groups.values()):
        for path in group:
            try:
                tensor = adapter.read(path).tensor
            except MusicaeError as error:
                unreadable.append(str(error))
                continue
            if tensor.shape[-1] <= max_length * size and tensor[..., :size].max() > 0:
                data.append(F.pad(tensor[..., :size], (0, size - min(size, tensor.shape[-1]))))
                pieces.append(i)
    if unreadable:
        logging.getLogger("musicae").warning(
            "%d sounds cannot be read and were left out: %s", len(unreadable), unreadable[0]
        )
    stacked = torch.stack(data) if data else torch.zeros(0, *adapter.spec.full_shape)
    return Windows(stacked, torch.tensor(pieces, dtype=torch.int32), adapter.spec.channels, list(groups))
