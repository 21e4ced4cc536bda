"""A preset's data: one split of one data set, or of several joined by a plus (``folk+pop909``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from musicae import registry, upgrade
from musicae.core import Adapter, Windows
from musicae.errors import MusicaeError, did_you_mean
from musicae.preset import Preset

__all__ = ["load", "noises"]


def load(recipe: Preset, adapter: Adapter, split: str, folders: Mapping[str, Path]) -> Windows:
    """Return the windows of `split` (``"train"``, ``"validation"`` or ``"test"``).

    `folders` gives the folder of each set, by its name; ``""`` is the only set that needs one.
    From splits other than training every window is dropped that equals a training window
    as the adapter sees it (a melody: up to transposition).
    """
    windows = _load(recipe, adapter, split, folders)
    if split == "train":
        return windows
    train = _load(recipe, adapter, "train", folders)
    if train.data.shape[1:] != windows.data.shape[1:]:  # Training windows are larger; none can be equal.
        return windows
    seen = set(_keys(adapter, train.data))
    fresh = [i for i, key in enumerate(_keys(adapter, windows.data)) if key not in seen]
    return windows.subset(torch.tensor(fresh, dtype=torch.long))


def noises(recipe: Preset, adapter: Adapter, folders: Mapping[str, Path]) -> Windows | None:
    """Return the training split of what the preset's ``[noise]`` section names, from the folder named ``noise``.

    None for a preset without that section, and where that folder is not given: the corruption then does without.
    """
    part = recipe.part("noise")
    if part is None or "noise" not in folders:
        return None
    windows: Windows = registry.build("datasets", part[0], adapter, "train", Path(folders["noise"]), **part[1])
    if not len(windows):
        raise MusicaeError(f"--data noise={folders['noise']}: it holds nothing but silence; name another folder")
    return windows


def _load(recipe: Preset, adapter: Adapter, split: str, folders: Mapping[str, Path]) -> Windows:
    part = recipe.part("dataset")
    if part is None:
        raise MusicaeError(f"the preset '{recipe.name}' names no data set; add a [dataset] section")
    names = part[0].split("+")
    if recipe.part("noise") is not None:
        folders = {name: folder for name, folder in folders.items() if name != "noise"}
    folders = _assign(names, folders)
    sets: list[Windows] = []
    for name in reversed(names):  # The last needs a folder: that it is missing should be told at once.
        settings = {key: value for key, value in part[1].items() if key in registry.signature("datasets", name)}
        sets.insert(0, registry.build("datasets", name, adapter, split, folders.get(name), **settings))
    return sets[0] if len(sets) == 1 else _concat(sets)


def _assign(names: list[str], folders: Mapping[str, Path]) -> dict[str, Path]:
    """Give a folder named without its set to the last set, the one that does not come with a package."""
    known = {name: upgrade.PARTS.get(("dataset", name), name) or names[-1] for name in folders}
    assigned = {known[name]: Path(folder) for name, folder in folders.items()}
    for name in assigned:
        if name not in names:
            raise MusicaeError(f"--data {name}=...: the preset has no data set '{name}'{did_you_mean(name, names)}")
    return assigned


def _concat(sets: list[Windows]) -> Windows:
    offset, pieces, names = 0, [], []
    for windows in sets:
        pieces.append(windows.pieces + offset)
        names += windows.names
        offset += len(windows.names)
    labels = None
    if all(windows.labels is not None for windows in sets):
        labels = torch.cat([windows.labels for windows in sets if windows.labels is not None])
    cond = None
    if all(windows.cond is not None for windows in sets):
        cond = torch.cat([windows.cond for windows in sets if windows.cond is not None])
    data = torch.cat([windows.data for windows in sets])
    return Windows(data, torch.cat(pieces), sets[0].channels, names, labels, sets[0].levels, cond)


def _keys(adapter: Adapter, data: Tensor) -> list[bytes]:
    rows = adapter.canonical(data).contiguous().flatten(1)
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows.numpy()]
