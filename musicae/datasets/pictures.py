"""Any folder of pictures: each one fitted to the adapter's window, or random crops of them at full size."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core import Adapter, Windows
from ..errors import MusicaeError
from . import cache
from .split import check, split_of

__all__ = ["files"]

_LEVELS = 255
_LONGEST = 2000  # A side longer than this is first brought down to it: so large a photo is softer still.
_TRIES = 4  # Places looked at for each crop, until one is not flat.
_FLAT = 0.015  # The standard deviation below which a crop is flat: bare sky, a shade without a picture in it.
_AT_ONCE = 64  # Pictures in memory together while reading.
_NAMED = 5  # Of the pictures passed over, how many are named.


def files(
    adapter: Adapter, split: str, folder: Path | None, *, seed: int = 0, test: float = 0.05, validation: float = 0.03,
    crops: int = 40, size: int = 0, most: int = 20_000, scales: tuple[float, ...] = (1.0, 0.75, 0.5),
) -> Windows:  # fmt: skip
    """Return one split of all pictures under `folder`, split by a seeded hash of the file's name.

    An adapter that fits pictures to its window gets one window of each. One that takes them whole gets `crops` random
    ones of each, at one of `scales` (a photo is soft at full size; smaller it is sharper), flat ones left out; those
    for training are of `size` pixels along a side (0: half as much again as the adapter's window, which it cuts out of
    them at random), the others as large as the window. `most` bounds the windows in all: of many pictures fewer crops
    are taken, of very many not all are read.
    Pictures that cannot be read or are smaller than a crop are passed over, and logged at the end.
    """
    check(split)
    folder = cache.own_folder(folder, "files", "pictures")
    if len(adapter.spec.shape) != 2:
        raise MusicaeError("the data set 'files' is of pictures; use it with the adapter 'image'")
    if min(crops, most) < 1 or size < 0:
        raise MusicaeError("[dataset] crops and most must be at least 1, and size 0 or more")
    if not scales or not all(0 < scale <= 1 for scale in scales):
        raise MusicaeError(f"[dataset] scales must be over 0 and at most 1, not {list(scales)}")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in adapter.suffixes and path.is_file())
    if not paths:
        raise MusicaeError(f"no pictures under {folder}; check the path given with --data")
    height, width = adapter.spec.shape
    shape = (max(size, height), max(size, width)) if size else (height * 3 // 2, width * 3 // 2)
    settings = {"seed": seed, "crops": crops, "shape": shape, "most": most, "scales": scales}
    key = cache.fingerprint(paths, folder, set="pictures", adapter=adapter.__dict__, **settings)

    def make() -> Windows:
        drawn = sorted(paths, key=lambda path: _hash(seed, path.relative_to(folder).as_posix()))
        taken = sorted(drawn[:most])
        read = partial(_read, adapter, folder, seed, min(crops, max(1, most // len(taken))), shape, scales)
        return _collect(adapter, zip(taken, _map(read, taken), strict=True), folder)

    everything = cache.cached(key, make)
    wanted = [split_of(name, seed, test, validation) == split for name in everything.names]
    index = torch.tensor(wanted, dtype=torch.bool)[everything.pieces.long()].nonzero().squeeze(1)
    chosen = everything.subset(index)
    return chosen if split == "train" else _middle(chosen, height, width)


def _middle(windows: Windows, height: int, width: int) -> Windows:
    top, left = (windows.data.shape[2] - height) // 2, (windows.data.shape[3] - width) // 2
    windows.data = windows.data[:, :, top : top + height, left : left + width].contiguous()
    return windows


def _map(read: Any, paths: Sequence[Path]) -> Iterator[Tensor]:
    """Read pictures in several threads (Pillow decodes without holding the others up), some at a time."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for i in range(0, len(paths), _AT_ONCE):
            yield from pool.map(read, paths[i : i + _AT_ONCE])


def _collect(adapter: Adapter, pairs: Iterator[tuple[Path, Tensor]], folder: Path) -> Windows:
    names: list[str] = []
    data: list[Tensor] = []
    pieces: list[Tensor] = []
    passed: list[str] = []
    for path, windows in pairs:
        name = path.relative_to(folder).as_posix()
        if not len(windows):
            passed.append(name)
            continue
        data.append(windows)
        pieces.append(torch.full((len(windows),), len(names), dtype=torch.int32))
        names.append(name)
    count = len(names) + len(passed)
    if passed:
        listed = ", ".join(passed[:_NAMED]) + (f" and {len(passed) - _NAMED} more" if len(passed) > _NAMED else "")
        logging.getLogger("musicae").warning(
            "%d of %d pictures under %s were passed over (they cannot be read, or are too small or flat): %s",
            len(passed), count, folder, listed,
        )  # fmt: skip
    if not data:
        raise MusicaeError(f"none of the {count} pictures under {folder} can be used: damaged, too small or flat")
    return Windows(torch.cat(data), torch.cat(pieces), adapter.spec.channels, names, levels=_LEVELS)


def _read(
    adapter: Adapter, folder: Path, seed: int, crops: int, shape: tuple[int, int], scales: tuple[float, ...], path: Path
) -> Tensor:  # fmt: skip
    """Return the windows of a picture, uint8 ``(n, C, H, W)``; none if it cannot be read or used."""
    try:
        picture = adapter.read(path).tensor
    except MusicaeError:
        return torch.empty(0)
    if getattr(adapter, "fit", "") != "whole":
        return _bytes(picture[None])
    rng = torch.Generator().manual_seed(_hash(seed, path.relative_to(folder).as_posix()) >> 1)
    return _crops(picture, crops, shape, scales, rng)


def _crops(
    picture: Tensor, crops: int, shape: tuple[int, int], scales: tuple[float, ...], rng: torch.Generator
) -> Tensor:
    """Cut random windows of `shape` out of ``(C, H, W)`` at random scales; flat ones are tried again, then left out."""
    longest = max(picture.shape[1:])
    base = min(1.0, _LONGEST / longest)
    layers = []
    for scale in scales:
        high, wide = (round(base * scale * side) for side in picture.shape[1:])
        if high >= shape[0] and wide >= shape[1]:
            layers.append(_smaller(picture, high, wide))
    found: list[Tensor] = []
    for _ in range(crops * _TRIES if layers else 0):
        layer = layers[int(torch.randint(len(layers), (), generator=rng))]
        top = int(torch.randint(layer.shape[1] - shape[0] + 1, (), generator=rng))
        left = int(torch.randint(layer.shape[2] - shape[1] + 1, (), generator=rng))
        crop = layer[:, top : top + shape[0], left : left + shape[1]]
        if crop.std() > _FLAT:
            found.append(crop)
        if len(found) == crops:
            break
    return _bytes(torch.stack(found)) if found else torch.empty(0)


def _smaller(picture: Tensor, height: int, width: int) -> Tensor:
    if picture.shape[1:] == (height, width):
        return picture
    scaled = torch.nn.functional.interpolate(picture[None], (height, width), mode="bicubic", antialias=True)
    return scaled[0].clamp(0, 1)


def _bytes(values: Tensor) -> Tensor:
    return (values * _LEVELS).round().to(torch.uint8)


def _hash(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big")
