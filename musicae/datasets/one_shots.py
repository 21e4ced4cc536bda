"""Any folder of single sounds, such as drum kits."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache
from musicae.datasets.shared.left_out import LeftOut
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
    left_out = LeftOut(f"sounds under {folder}")

    def make() -> Windows:
        made = _read(adapter, groups, max_length, left_out)
        left_out.report(len(made), needed=split == "train")
        return made

    return cache.cached(key, make)


def _read(adapter: Adapter, groups: dict[str, list[Path]], max_length: float, left_out: LeftOut) -> Windows:
    size = adapter.spec.shape[-1]
    data: list[Tensor] = []
    pieces: list[int] = []
    window = f"of {size / adapter.steps_per_second:.3g} s" if adapter.steps_per_second else f"of {size} steps"
    for i, group in enumerate(groups.values()):
        for path in group:
            try:
                tensor = adapter.read(path).tensor
            except MusicaeError as error:
                left_out.add("that cannot be read", str(error))
                continue
            if tensor.shape[-1] > max_length * size:
                left_out.add(f"longer than max_length, {max_length:g} windows {window}", path.name)
            elif not tensor[..., :size].max() > 0:
                left_out.add("silent", path.name)
            else:
                data.append(F.pad(tensor[..., :size], (0, size - min(size, tensor.shape[-1]))))
                pieces.append(i)
    stacked = torch.stack(data) if data else torch.zeros(0, *adapter.spec.full_shape)
    return Windows(stacked, torch.tensor(pieces, dtype=torch.int32), adapter.spec.channels, list(groups))
