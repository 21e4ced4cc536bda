"""Any folder of pictures: each fitted to the adapter's window, or random crops at full size."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache
from musicae.datasets.shared.prepare import Plan, batched, prepared
from musicae.datasets.shared.shards import Piece
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError
from musicae.formats.folders import files_in
from musicae.ranges import Count, CountOrNone, Positive, Seed, Share, SizeOrNone
from musicae.threads import cores

__all__ = ["pictures"]

_LEVELS = 255
_MAX_SIDE = 2000  # Pixels; larger photos are not sharp anyway, and are scaled down first.
_TRIES = 4  # Random places to try for each crop, until one is not flat.
_MIN_STD = 0.015  # Of a crop; one with less is flat, such as bare sky.
_PICTURES_A_SHARD = 64  # Pictures that are prepared together.


@dataclass(frozen=True)
class _Cropping:
    """How many crops a picture gives, of which shape ``(H, W)``, at which scales."""

    crops: int
    shape: tuple[int, int]
    scales: tuple[float, ...]


def pictures(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    test: Share = 0.05,
    validation: Share = 0.03,
    crops: Count = 40,
    crop_size: SizeOrNone = 0,
    max_windows: CountOrNone = 20_000,
    scales: tuple[Positive, ...] = (1.0, 0.75, 0.5),
) -> Windows:
    """Return one split of all pictures under `folder`, chosen by a seeded hash of the file's name.

    An adapter that fits pictures to its window gets one window of each; one that reads any size gets random crops.
    Pictures that cannot be read, are smaller than a crop or flat are left out, which is logged at the end. Raise
    MusicaeError if none is left.

    Parameters
    ----------
    adapter, split, folder, seed, test, validation : as for all data sets.
    crops : how many from each picture, at random places and `scales`; flat ones are left out.
    crop_size : of a training crop, in pixels a side; 0 for one and a half times the adapter's window, which is cut out
        of it at random. Crops of other splits have the size of that window.
    max_windows : in all splits together: with many pictures each gives fewer crops, with very many some are not read.
    scales : photos are soft at full size, and sharper when scaled down.
    """
    check(split)
    folder = cache.own_folder(folder, "pictures", "pictures")
    if len(adapter.spec.shape) != 2:
        raise MusicaeError("the data set 'pictures' needs windows of two axes; use it with the adapter 'image'")
    if min(crops, max_windows) < 1 or crop_size < 0:
        raise MusicaeError("[dataset] crops and max_windows must be at least 1, and crop_size 0 or more")
    if not scales or not all(0 < scale <= 1 for scale in scales):
        raise MusicaeError(f"[dataset] scales must be over 0 and at most 1, not {list(scales)}")
    paths = files_in(folder, adapter.suffixes)
    if not paths:
        raise MusicaeError(f"no pictures under {folder}; check the path given with --data")
    height, width = adapter.spec.shape
    large = (max(crop_size, height), max(crop_size, width)) if crop_size else (height * 3 // 2, width * 3 // 2)
    selected = sorted(sorted(paths, key=lambda path: _hash(seed, path.relative_to(folder).as_posix()))[:max_windows])
    cropping = _Cropping(min(crops, max(1, max_windows // len(selected))), large, tuple(scales))
    key = cache.fingerprint(selected, folder, set="pictures", adapter=adapter, seed=seed, cropping=cropping)
    batches = batched(selected, [0] * len(selected), _PICTURES_A_SHARD, 1)
    read = partial(_read_all, adapter, folder, seed, cropping)
    plan = Plan(f"pictures under {folder}", key, batches, read, rows=True, many=2 * _PICTURES_A_SHARD)
    shape = (adapter.spec.channels, *(large if adapter.any_size else adapter.spec.shape))
    everything, left_out = prepared(plan, shape, adapter.spec.channels, _LEVELS)
    left_out.report(len(everything.names))
    in_split = [split_of(name, seed, test, validation) == split for name in everything.names]
    index = torch.tensor(in_split, dtype=torch.bool)[everything.pieces.long()].nonzero().squeeze(1)
    chosen = everything.subset(index)
    return chosen if split == "train" else _crop_centre(chosen, height, width)


def _crop_centre(windows: Windows, height: int, width: int) -> Windows:
    data = windows.values()
    top, left = (data.shape[2] - height) // 2, (data.shape[3] - width) // 2
    return replace(windows, data=data[:, :, top : top + height, left : left + width].contiguous())


def _read_all(adapter: Adapter, folder: Path, seed: int, cropping: _Cropping, paths: Sequence[Path]) -> list[Piece]:
    """Return the windows of some pictures; Pillow decodes in several threads, since it releases the GIL."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(partial(_read, adapter, folder, seed, cropping), paths))


def _read(adapter: Adapter, folder: Path, seed: int, cropping: _Cropping, path: Path) -> Piece:
    """Return the windows of a picture, uint8 ``(n, C, H, W)``."""
    name = path.relative_to(folder).as_posix()
    try:
        picture = adapter.read(path).tensor
    except MusicaeError as error:
        return _piece(name, torch.empty(0), "that cannot be read", str(error))
    if not adapter.any_size:
        return _piece(name, _bytes(picture[None]))
    rng = torch.Generator().manual_seed(_hash(seed, name) >> 1)
    crops = _crops(picture, cropping, rng)
    if len(crops):
        return _piece(name, crops)
    high, wide = (math.ceil(side / max(cropping.scales)) for side in cropping.shape)
    small = picture.shape[1] < high or picture.shape[2] < wide
    reason = f"smaller than {wide} x {high} pixels" if small else "flat, with hardly any contrast"
    return _piece(name, crops, reason, name)


def _piece(name: str, windows: Tensor, reason: str = "", example: str = "") -> Piece:
    left_out = ((reason, example),) if reason else ()
    return Piece(name, windows.numpy(), np.arange(len(windows)), left_out)


def _crops(picture: Tensor, cropping: _Cropping, rng: torch.Generator) -> Tensor:
    """Return random crops of ``(C, H, W)`` at random scales; flat ones are drawn again a few times, then left out."""
    crops, shape = cropping.crops, cropping.shape
    base = min(1.0, _MAX_SIDE / max(picture.shape[1:]))
    layers = []
    for scale in cropping.scales:
        high, wide = (round(base * scale * side) for side in picture.shape[1:])
        if high >= shape[0] and wide >= shape[1]:
            layers.append(_scaled_down(picture, high, wide))
    kept: list[Tensor] = []
    for _ in range(crops * _TRIES if layers else 0):
        layer = layers[int(torch.randint(len(layers), (), generator=rng))]
        top = int(torch.randint(layer.shape[1] - shape[0] + 1, (), generator=rng))
        left = int(torch.randint(layer.shape[2] - shape[1] + 1, (), generator=rng))
        crop = layer[:, top : top + shape[0], left : left + shape[1]]
        if crop.std() > _MIN_STD:
            kept.append(crop)
        if len(kept) == crops:
            break
    return _bytes(torch.stack(kept)) if kept else torch.empty(0)


def _scaled_down(picture: Tensor, height: int, width: int) -> Tensor:
    if picture.shape[1:] == (height, width):
        return picture
    scaled = torch.nn.functional.interpolate(picture[None], (height, width), mode="bicubic", antialias=True)
    return scaled[0].clamp(0, 1)


def _bytes(values: Tensor) -> Tensor:
    return (values * _LEVELS).round().to(torch.uint8)


def _hash(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode(errors="surrogatepass")).digest()[:8], "big")
