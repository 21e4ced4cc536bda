"""Any folder of recordings, cut into windows, and any folder of single sounds."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..core import Adapter, Windows
from ..errors import MusicaeError
from . import cache
from .split import check, split_of

__all__ = ["one_shots", "recordings"]

_LEVELS = 32_767  # Windows are kept in 16 bits.
_SILENCE = 1e-6  # Power under which a window is left out: -60 dB.
_MOMENT = 1e-9  # The least power of a moment: -90 dB.
_HELD = 3  # Times as many windows as are to be kept that are held until some are chosen.
_LONGEST = 1.5  # Windows are that much longer than the adapter's, which cuts its own out of them.


def recordings(
    adapter: Adapter, split: str, folder: Path | None, *, seed: int = 0, test: float = 0.05, validation: float = 0.03,
    by: str = "file", most: int = 20_000, each: int = 0, low_cut: float = 0.0, lively: float = 0.0,
) -> Windows:  # fmt: skip
    """Return one split of all recordings under `folder`.

    A piece is a file, or with `by` ``"folder"`` all files in one folder directly under `folder` (a speaker's), one
    after another. Which split it is in is a seeded hash of its name. Windows of training are half as long again as
    the adapter's, which cuts them; silent ones are left out. At most `most` windows are kept, at random, and at most
    `each` of a piece (0: any number). What is below `low_cut` Hz is taken away, and windows are left out in which loud
    and quiet moments are less than `lively` dB apart: there is noise in them. Of files that are the same one is taken.
    Raise MusicaeError where there is none.
    """
    if not hasattr(adapter, "pieces"):
        raise MusicaeError("the data set 'recordings' is of samples; use it with the adapter 'audio'")
    folder = cache.own_folder(folder, "recordings", "sound files")
    groups = _grouped(adapter, split, folder, by, seed, test, validation)
    size = adapter.spec.shape[0]
    length = int(_LONGEST * size) if split == "train" else size
    chosen = [path for group in groups.values() for path in group]
    rate: int = adapter.rate  # type: ignore[attr-defined]
    if not 0 <= low_cut < rate / 2:
        raise MusicaeError(f"[dataset] low_cut must be 0 or more and below {rate / 2:g} Hz, not {low_cut}")
    care: dict[str, Any] = {"each": each, "low_cut": low_cut, "lively": lively}
    settings = {"rate": rate, "length": length, "by": by, "most": most, "seed": seed, **care}
    key = cache.fingerprint(chosen, folder, set="recordings", **settings)
    return cache.cached(key, lambda: _collect(adapter, groups, length, most, seed, **care))


def _grouped(
    adapter: Adapter, split: str, folder: Path, by: str, seed: int, test: float, validation: float
) -> dict[str, list[Path]]:
    """Return the sound files under `folder` that are in a split, by piece."""
    check(split)
    if by not in ("file", "folder"):
        raise MusicaeError(f"[dataset] by must be 'file' or 'folder', not '{by}'")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in adapter.suffixes and path.is_file())
    if not paths:
        raise MusicaeError(f"no sound files under {folder}; check the path given with --data")
    groups: dict[str, list[Path]] = {}
    for path in _different(paths):
        place = path.relative_to(folder)
        piece = place.parts[0] if by == "folder" and len(place.parts) > 1 else place.as_posix()
        if split_of(piece, seed, test, validation) == split:
            groups.setdefault(piece, []).append(path)
    return groups


def _different(paths: list[Path]) -> list[Path]:
    """Return the first of each files that are the same, to the byte."""
    sizes = Counter(path.stat().st_size for path in paths)
    seen: set[bytes] = set()
    kept = []
    for path in paths:
        if sizes[path.stat().st_size] > 1:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            if digest in seen:
                continue
            seen.add(digest)
        kept.append(path)
    return kept


def _collect(
    adapter: Adapter, groups: dict[str, list[Path]], length: int, most: int, seed: int, each: int, low_cut: float,
    lively: float,
) -> Windows:  # fmt: skip
    data: list[Tensor] = []
    pieces: list[Tensor] = []
    passed: list[str] = []
    keys: list[Tensor] = []  # Of the windows, drawn at random, those with the least are kept where there are too many.
    draws, thinned = torch.Generator().manual_seed(seed), False
    for i, paths in enumerate(groups.values()):
        found = torch.from_numpy(_cut(adapter, paths, length, low_cut, lively, passed))
        if each and len(found) > each:
            chosen = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed + i))[:each]
            found = found[chosen.sort().values]
        data.append(found[:, None])
        pieces.append(torch.full((len(found),), i, dtype=torch.int32))
        keys.append(torch.rand(len(found), generator=draws))
        if sum(map(len, data)) > _HELD * most:
            kept = torch.cat(keys).argsort()[:most].sort().values
            data, pieces, keys = ([torch.cat(one)[kept]] for one in (data, pieces, keys))
            thinned = True
    if passed:
        logging.getLogger("musicae").warning("%d recordings were passed over: %s", len(passed), passed[0])
    if not data:
        empty = torch.zeros(0, 1, length, dtype=torch.int16)
        return Windows(empty, torch.zeros(0, dtype=torch.int32), 1, list(groups), levels=_LEVELS)
    everything = Windows(torch.cat(data), torch.cat(pieces), 1, list(groups), levels=_LEVELS)
    if len(everything) <= most:
        return everything
    order = torch.cat(keys).argsort() if thinned else torch.randperm(len(everything), generator=draws.manual_seed(seed))
    return everything.subset(order[:most].sort().values)


def _cut(adapter: Any, paths: list[Path], length: int, low_cut: float, lively: float, passed: list[str]) -> Any:
    """Return the windows of files put one after another, int16 ``(n, length)``, without silent and noisy ones."""
    from scipy.signal import butter, sosfilt, sosfilt_zi

    found: list[Any] = []
    held = np.zeros(0, np.float32)
    filter_ = butter(2, low_cut, "high", fs=adapter.rate, output="sos") if low_cut else None
    state = None if filter_ is None else 0 * sosfilt_zi(filter_)
    for block in _blocks(adapter, paths, passed):
        if filter_ is not None and len(block):
            block, state = sosfilt(filter_, block, zi=state)
        held = np.concatenate([held, block])
        count = len(held) // length
        windows = held[: count * length].reshape(count, length)
        found += [_bits(one) for one in windows if _sounds(one) and _range(one, adapter.rate) >= lively]
        held = held[count * length :]
    if _sounds(held) and _range(held, adapter.rate) >= lively and (not found or len(held) > length // 2):
        found.append(_bits(np.resize(held, length)))  # A short rest is repeated.
    return np.stack(found) if found else np.zeros((0, length), np.int16)


def _range(window: Any, rate: int) -> float:
    """Return how many dB lie between the loud and the quiet moments (95 and 10 of 100) of 20 ms."""
    size = max(1, min(rate // 50, len(window)))
    moments = np.square(window[: len(window) // size * size].reshape(-1, size)).mean(1) + _MOMENT
    loud, quiet = np.percentile(10 * np.log10(moments), [95, 10])
    return float(loud - quiet)


def _blocks(adapter: Any, paths: list[Path], passed: list[str]) -> Iterator[Any]:
    for path in paths:
        try:
            yield from adapter.pieces(path)
        except MusicaeError as error:
            passed.append(str(error))


def _sounds(window: Any) -> bool:
    return len(window) > 0 and float(np.square(window).mean()) > _SILENCE


def _bits(window: Any) -> Any:
    return (np.clip(window, -1, 1) * _LEVELS).round().astype(np.int16)


def one_shots(
    adapter: Adapter, split: str, folder: Path | None, *, seed: int = 0, test: float = 0.1, validation: float = 0.05,
    by: str = "folder", longest: float = 4.0,
) -> Windows:  # fmt: skip
    """Return one split of all single sounds under `folder`, as the adapter reads them, one window of each.

    A piece is all files in one folder directly under `folder` (a drum kit), or with `by` ``"file"`` each file.
    Files of more than `longest` windows, and silent ones, are left out.
    Raise MusicaeError where there is none.
    """
    folder = cache.own_folder(folder, "one-shots", "sound files")
    groups = _grouped(adapter, split, folder, by, seed, test, validation)
    size = adapter.spec.shape[-1]
    shape = {key: value for key, value in adapter.__dict__.items() if not key.startswith("_")}
    settings = {"adapter": shape, "kind": type(adapter).__name__, "by": by, "longest": longest}
    paths = [path for group in groups.values() for path in group]
    key = cache.fingerprint(paths, folder, set="one-shots", **settings)

    def make() -> Windows:
        data: list[Tensor] = []
        pieces: list[int] = []
        for i, group in enumerate(groups.values()):
            for path in group:
                try:
                    tensor = adapter.read(path).tensor
                except MusicaeError:
                    continue
                if tensor.shape[-1] <= longest * size and tensor[..., :size].max() > 0:
                    data.append(F.pad(tensor[..., :size], (0, size - min(size, tensor.shape[-1]))))
                    pieces.append(i)
        stacked = torch.stack(data) if data else torch.zeros(0, *adapter.spec.full_shape)
        return Windows(stacked, torch.tensor(pieces, dtype=torch.int32), adapter.spec.channels, list(groups))

    return cache.cached(key, make)
