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

    `folders` says where a set lies, by its name; ``""`` stands for the only one that needs it.
    From splits other than training every window is dropped that equals a training window
    as the adapter sees it (a melody: up to transposition).
    """
    windows = _load(recipe, adapter, split, folders)
    if split == "train":
        return windows
    known = _load(recipe, adapter, "train", folders)
    if known.data.shape[1:] != windows.data.shape[1:]:  # Those to train on are larger; none can be equal.
        return windows
    seen = set(_keys(adapter, known.data))
    fresh = [i for i, key in enumerate(_keys(adapter, windows.data)) if key not in seen]
    return windows.subset(torch.tensor(fresh, dtype=torch.long))


def noises(recipe: Preset, adapter: Adapter, folders: Mapping[str, Path]) -> Windows | None:
    """Return the training split of what the preset's ``[noise]`` section names, from the folder called ``noise``.

    None for a preset without that section, and for one whose folder is not named: its corruption then does without.
    """
    part = recipe.part("noise")
    if part is None or "noise" not in folders:
        return None
    windows: Windows = registry.build("datasets", part[0], adapter, "train", folders["noise"], **part[1])
    if not len(windows):
        raise MusicaeError(f"--data noise={folders['noise']}: there is nothing but silence in it; name another folder")
    return windows


def _load(recipe: Preset, adapter: Adapter, split: str, folders: Mapping[str, Path]) -> Windows:
    part = recipe.part("dataset")
    if part is None:
        raise MusicaeError(f"the preset '{recipe.name}' names no data set; add a [dataset] section")
    names = part[0].split("+")
    if recipe.part("noise") is not None:
        folders = {name: folder for name, folder in folders.items() if name != "noise"}
    folders = _assign(names, folders)
    sets = []
    for name in names:
        settings = {key: value for key, value in part[1].items() if key in registry.signature("datasets", name)}
        sets.append(registry.build("datasets", name, adapter, split, folders.get(name), **settings))
    return sets[0] if len(sets) == 1 else _together(sets)


def _assign(names: list[str], folders: Mapping[str, Path]) -> dict[str, Path]:
    """Give a folder named without its set to the last set, the one that does not come with a package."""
    known = {name: upgrade.PARTS.get(("dataset", name), name) or names[-1] for name in folders}
    assigned = {known[name]: folder for name, folder in folders.items()}
    for name in assigned:
        if name not in names:
            raise MusicaeError(f"--data {name}=...: the preset has no data set '{name}'{did_you_mean(name, names)}")
    return assigned


def _together(sets: list[Windows]) -> Windows:
    offset, pieces, names = 0, [], []
    for one in sets:
        pieces.append(one.pieces + offset)
        names += one.names
        offset += len(one.names)
    labels = None
    if all(one.labels is not None for one in sets):
        labels = torch.cat([one.labels for one in sets if one.labels is not None])
    cond = None
    if all(one.cond is not None for one in sets):
        cond = torch.cat([one.cond for one in sets if one.cond is not None])
    data = torch.cat([one.data for one in sets])
    return Windows(data, torch.cat(pieces), sets[0].channels, names, labels, sets[0].levels, cond)


def _keys(adapter: Adapter, data: Tensor) -> list[bytes]:
    rows = adapter.canonical(data).contiguous().flatten(1)
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows.numpy()]
