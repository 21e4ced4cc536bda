"""A preset's data: one split of one data set, or of several joined by a plus (``folk+pop909``)."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae import registry, upgrade
from musicae.core import Adapter, Stored, Windows
from musicae.datasets.shared.cache import cache_folder
from musicae.errors import MusicaeError, did_you_mean
from musicae.formats import arrays
from musicae.formats.atomic import make_folder
from musicae.preset import Preset

__all__ = ["load", "noises"]

_VERSION = 1  # Of which windows are held out; raise it when the same windows give others.
_AT_ONCE = 1 << 24  # Bytes of windows that are compared at once.
_MIN_KEPT = 100_000  # Windows to train on from which on the comparison is kept: it takes a second for each million.


def load(
    recipe: Preset, adapter: Adapter, split: str, folders: Mapping[str, Path], train: Windows | None = None
) -> Windows:
    """Return the windows of `split` (``"train"``, ``"validation"`` or ``"test"``).

    `folders` gives the folder of each set, by its name; ``""`` is the only set that needs one.
    From splits other than training every window is dropped that equals a training window
    as the adapter sees it (a melody: up to transposition); `train` is that split, if it is loaded already.
    """
    windows = _load(recipe, adapter, split, folders)
    if split == "train":
        return windows
    train = _load(recipe, adapter, "train", folders) if train is None else train
    if train.data.shape[1:] != windows.data.shape[1:]:  # Training windows are larger; none can be equal.
        return windows
    return windows.subset(_held_out(adapter, windows, train))


def _held_out(adapter: Adapter, windows: Windows, train: Windows) -> Tensor:
    """Return which windows no training window equals; for many, that is worked out once and kept."""
    keys = [_VERSION, type(adapter).__qualname__, _key(windows), _key(train)]
    if not all(keys) or len(train) < _MIN_KEPT:
        return _fresh(adapter, windows, train)
    folder = cache_folder() / "held-out"
    path = folder / f"{hashlib.sha256(repr(keys).encode()).hexdigest()[:32]}.npz"
    try:
        kept = torch.from_numpy(arrays.load(path, {"fresh": "i"})["fresh"].astype(np.int64))
        if kept.ndim == 1 and bool(((kept >= 0) & (kept < len(windows))).all()):
            return kept
    except (MusicaeError, KeyError):  # Missing or damaged.
        pass
    fresh = _fresh(adapter, windows, train)
    with contextlib.suppress(MusicaeError):
        make_folder(folder)
        arrays.save({"fresh": fresh.numpy()}, path)
    return fresh


def _key(windows: Windows) -> str:
    return windows.data.key if isinstance(windows.data, Stored) else ""


def _fresh(adapter: Adapter, windows: Windows, train: Windows) -> Tensor:
    """Return which windows no training window equals, as the adapter sees them; few are in memory at a time."""
    held = [_rows(adapter, part) for part in _parts(windows)]
    known = np.unique(np.concatenate([np.empty(0, np.uint64), *map(_hashes, held)]))
    seen: set[bytes] = set()
    for part in _parts(train) if len(known) else ():
        rows = _rows(adapter, part)
        hashes = _hashes(rows)
        # Hashes tell most apart; the bytes of the rest do.
        places = np.minimum(known.searchsorted(hashes), len(known) - 1)
        seen.update(row.tobytes() for row in rows[known[places] == hashes])
    fresh = [row.tobytes() not in seen for rows in held for row in rows]
    return torch.tensor(fresh, dtype=torch.bool).nonzero().squeeze(1)


def _parts(windows: Windows) -> Iterator[Tensor]:
    """Go through all windows, as they are kept, some at a time."""
    data = windows.data
    size = 8 * max(1, math.prod(data.shape[1:]))
    for index in torch.split(torch.arange(len(windows)), max(1, _AT_ONCE // size)):
        yield data[index] if isinstance(data, Tensor) else data.kept(index)


def _rows(adapter: Adapter, data: Tensor) -> NDArray[np.uint8]:
    """Return the bytes of each window as the adapter sees it, ``(N, W)``."""
    values = adapter.canonical(data).contiguous().numpy()
    return values.reshape(len(values), math.prod(values.shape[1:])).view(np.uint8)


def _hashes(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a number of 64 bits for each row of bytes ``(N, W)``; equal rows have the same."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8)))
    words = padded.view(np.uint64)
    factors = np.random.default_rng(0).integers(1 << 63, size=words.shape[1], dtype=np.uint64) * 2 + 1
    sums = (words * factors).sum(1, dtype=np.uint64)
    hashes: NDArray[np.uint64] = sums ^ sums >> np.uint64(32)
    return hashes


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
        cond = _join([windows.cond for windows in sets if windows.cond is not None])
    data = _join([windows.data for windows in sets])
    return Windows(data, torch.cat(pieces), sets[0].channels, names, labels, sets[0].levels, cond)


def _join(parts: list[Tensor | Stored]) -> Tensor | Stored:
    tensors = [part for part in parts if isinstance(part, Tensor)]
    return torch.cat(tensors) if len(tensors) == len(parts) else _Joined(parts)


class _Joined(Stored):
    """The windows of several sets, one after another."""

    def __init__(self, parts: Sequence[Tensor | Stored]) -> None:
        self._parts = parts
        self._ends = torch.tensor([len(part) for part in parts]).cumsum(0)
        self.shape = (int(self._ends[-1]), *parts[0].shape[1:])
        keys = [part.key if isinstance(part, Stored) else "" for part in parts]
        self.key = "+".join(keys) if all(keys) else ""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Tensor) -> Tensor:
        return self._find(index, lambda part, own: part[own])

    def kept(self, index: Tensor) -> Tensor:
        return self._find(index, lambda part, own: part[own] if isinstance(part, Tensor) else part.kept(own))

    def _find(self, index: Tensor, get: Callable[[Tensor | Stored, Tensor], Tensor]) -> Tensor:
        numbers = torch.searchsorted(self._ends, index, right=True)
        order = numbers.argsort(stable=True)
        own = torch.split(index[order], numbers.bincount(minlength=len(self._parts)).tolist())
        starts = [0, *self._ends.tolist()]
        found = torch.cat([get(part, i - start) for part, i, start in zip(self._parts, own, starts, strict=False)])
        return found[order.argsort()]

    def subset(self, index: Tensor) -> Stored:
        return _Chosen(self, index)


class _Chosen(Stored):
    """Some of the windows of others."""

    def __init__(self, whole: Stored, index: Tensor) -> None:
        self._whole, self._index = whole, index
        self.shape = (len(index), *whole.shape[1:])
        chosen = hashlib.blake2b(index.numpy().tobytes(), digest_size=16).hexdigest()
        self.key = whole.key and f"{whole.key}:{chosen}"

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: Tensor) -> Tensor:
        return self._whole[self._index[index]]

    def kept(self, index: Tensor) -> Tensor:
        return self._whole.kept(self._index[index])

    def subset(self, index: Tensor) -> Stored:
        return _Chosen(self._whole, self._index[index])
