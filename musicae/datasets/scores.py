"""From many scores to windows of tokens: what all data sets of notes share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from torch import Tensor

from ..core import Adapter, Sample, Windows
from ..errors import MusicaeError

__all__ = ["collect", "cut", "read_all", "subset"]

_MANY = 2000  # Files below this count are read faster than a second process starts.


def subset(windows: Windows, keep: Callable[[str], bool]) -> Windows:
    """Return the windows of the pieces whose name `keep` accepts."""
    chosen = torch.tensor([keep(name) for name in windows.names], dtype=torch.bool)
    index = chosen[windows.pieces.long()].nonzero().squeeze(1)
    return Windows(windows.data[index], windows.pieces[index], windows.channels, windows.names)


def read_all(read: Callable[[Any], list[tuple[str, Tensor]]], jobs: Sequence[Any]) -> list[tuple[str, Tensor]]:
    """Map `read` over `jobs`, in several processes where there are thousands; order is kept."""
    workers = os.cpu_count() or 1
    if len(jobs) < _MANY or workers < 2:
        return [pair for job in jobs for pair in read(job)]
    with ProcessPoolExecutor(workers) as pool:
        return [pair for pairs in pool.map(read, jobs, chunksize=64) for pair in pairs]


def cut(adapter: Adapter, sample: Sample) -> Tensor:
    """Cut one piece into the windows to train on: ``(N, T)`` classes, or ``(N, C, T)`` 0/1 bytes.

    One window starts at about each bar (two of them where bars are short). Kept are those with two
    onsets or more and no gap of more than half a window; the last may be padded by half of it.
    """
    size = adapter.spec.shape[-1]
    length = sample.tensor.shape[-1]
    hop = _hop(sample.meta, size)
    starts = [s for s in range(0, length, hop) if s == 0 or length - s >= size // 2]
    starts = [s for i, s in enumerate(starts) if i == 0 or starts[i - 1] + size < length]
    whole = max(starts) + size
    one_hot = adapter.spec.likelihood == "categorical"
    tokens = sample.tensor.argmax(0).to(torch.uint8) if one_hot else sample.tensor.to(torch.uint8)
    padded = torch.nn.functional.pad(tokens, (0, max(0, whole - length)))
    windows = torch.stack([padded[..., s : s + size] for s in starts])
    return windows[_kept(windows, size, one_hot)]


def _hop(meta: dict[str, Any], size: int) -> int:
    _, numerator, denominator = (meta.get("meters") or [[0, 4, 4]])[0]
    bar = max(1, round(int(numerator) * 16 / int(denominator)))
    return min(size, bar * math.ceil(size / 2 / bar)) if bar < size / 2 else min(bar, size)


def _kept(windows: Tensor, size: int, one_hot: bool) -> Tensor:
    onset = windows >= 2 if one_hot else windows.bool().any(1)
    sounding = windows != 0 if one_hot else onset
    last = torch.where(sounding, torch.arange(size), -1).cummax(-1).values
    gap = (torch.arange(size) - last).amax(-1)
    return (onset.sum(-1) >= 2) & (gap <= size // 2)


def collect(adapter: Adapter, pairs: Iterable[tuple[str, Tensor]], what: str) -> Windows:
    """Put the windows of many pieces together; a window that a piece repeats is kept once."""
    names: list[str] = []
    data: list[Tensor] = []
    pieces: list[Tensor] = []
    for name, windows in pairs:
        if not len(windows):
            continue
        once = torch.unique(windows, dim=0)
        data.append(once)
        pieces.append(torch.full((len(once),), len(names), dtype=torch.int32))
        names.append(name)
    if not data:
        raise MusicaeError(f"no usable {what} found; a window needs two notes and no long gap")
    return Windows(_stored(adapter, torch.cat(data)), torch.cat(pieces), adapter.spec.channels, names)


def _stored(adapter: Adapter, data: Tensor) -> Tensor:
    return data if adapter.spec.likelihood == "categorical" else data.bool()
