"""Shared by all data sets of notes: cut many scores into windows to train on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

import torch
from torch import Tensor

from musicae import registry
from musicae.core import Adapter, Likelihood, Roll, Sample, Spec, Windows
from musicae.datasets.shared.left_out import LeftOut
from musicae.errors import MusicaeError
from musicae.processes import end_with_parent
from musicae.threads import cores

__all__ = ["Piece", "collect", "cut", "read_all", "subset", "unreadable"]

_MIN_JOBS_TO_SHARE = 2000  # Reading fewer files is faster than starting processes.


def subset(windows: Windows, keep: Callable[[str], bool]) -> Windows:
    """Return the windows of the pieces whose name `keep` accepts."""
    chosen = torch.tensor([keep(name) for name in windows.names], dtype=torch.bool)
    return windows.subset(chosen[windows.pieces.long()].nonzero().squeeze(1))


class Piece(NamedTuple):
    """A piece's name, its windows as `cut` gives them, and why there are none, if it cannot be read."""

    name: str
    windows: Tensor
    error: str = ""


def unreadable(name: str, error: MusicaeError) -> Piece:
    """Return a piece that cannot be read."""
    return Piece(name, torch.empty(0), str(error))


def read_all(read: Callable[[Any], list[Piece]], jobs: Sequence[Any]) -> list[Piece]:
    """Map `read` over `jobs`, in several processes if there are thousands; the order is kept."""
    workers = cores()
    if len(jobs) < _MIN_JOBS_TO_SHARE or workers < 2:
        return [piece for job in jobs for piece in read(job)]
    with ProcessPoolExecutor(workers, initializer=end_with_parent) as pool:
        return [piece for pieces in pool.map(read, jobs, chunksize=64) for piece in pieces]


def cut(adapter: Adapter, sample: Sample) -> Tensor:
    """Cut one piece into the windows to train on: ``(N, T)`` classes or ``(N, C, T)``, as in `Windows.data`.

    A window starts at each bar, or every few bars if they are short. Windows with at least two onsets and no gap longer
    than half a window are kept; at most half of the last one may be padding. Raise MusicaeError for an adapter whose
    samples are not notes.
    """
    roll = adapter.roll(sample)
    if roll is None:
        raise MusicaeError("this data set holds notes; use it with the adapter 'melody' or 'drums'")
    size, length = adapter.spec.shape[-1], sample.tensor.shape[-1]
    starts = _starts(length, size, _hop(roll, size))
    likelihood = _likelihood(adapter.spec)
    piece = _pad(sample.tensor, starts[-1] + size, likelihood.blank(adapter.spec.channels))[None]
    onset, sounding = adapter.onsets(piece).bool().any(1)[0], adapter.sounding(piece)[0]
    windows = _windows(likelihood.pack(piece)[0], starts, size)
    return windows[_usable(_windows(onset, starts, size), _windows(sounding, starts, size))]


def _likelihood(spec: Spec) -> Likelihood:
    likelihood: Likelihood = registry.build("likelihoods", spec.likelihood)
    return likelihood.bind(spec)


def _hop(roll: Roll, size: int) -> int:
    """Return the steps from one window to the next: a bar, or several short ones that make about half a window."""
    _, numerator, denominator = roll.meters[0]
    bar = max(1, round(4 * roll.steps_per_beat * numerator / denominator))
    return min(size, bar * math.ceil(size / 2 / bar)) if bar < size / 2 else min(bar, size)


def _starts(length: int, size: int, hop: int) -> list[int]:
    """Return the first steps of windows: none is padded by more than half, and at most one goes beyond the end."""
    starts = [s for s in range(0, length, hop) if s == 0 or length - s >= size // 2]
    return [s for i, s in enumerate(starts) if i == 0 or starts[i - 1] + size < length]


def _pad(tensor: Tensor, length: int, blank: Tensor) -> Tensor:
    """Return ``(C, T)`` padded to `length` steps with `blank` ``(C,)``."""
    missing = length - tensor.shape[-1]
    return torch.cat([tensor, blank.to(tensor)[:, None].expand(-1, missing)], dim=-1) if missing > 0 else tensor


def _windows(piece: Tensor, starts: Sequence[int], size: int) -> Tensor:
    return torch.stack([piece[..., s : s + size] for s in starts])


def _usable(onset: Tensor, sounding: Tensor) -> Tensor:
    """Return which windows have two onsets and no long gap, ``(N,)``, from masks of their steps ``(N, T)``."""
    size = onset.shape[-1]
    last = torch.where(sounding, torch.arange(size), -1).cummax(-1).values
    gap = (torch.arange(size) - last).amax(-1)
    return (onset.sum(-1) >= 2) & (gap <= size // 2)


def collect(adapter: Adapter, found: Iterable[Piece], what: str) -> Windows:
    """Collect the windows of many pieces; a window that repeats within a piece is kept once."""
    names: list[str] = []
    data: list[Tensor] = []
    pieces: list[Tensor] = []
    left_out = LeftOut(what)
    for name, windows, error in found:
        if error:
            left_out.add("that cannot be read", error if name in error else f"{name}: {error}")
            continue
        if not len(windows):
            left_out.add("without two notes in a window and no long gap", name)
            continue
        once = torch.unique(windows, dim=0)
        data.append(once)
        pieces.append(torch.full((len(once),), len(names), dtype=torch.int32))
        names.append(name)
    left_out.report(len(names))
    if not data:
        raise MusicaeError(f"there are no {what}; give some with --data")
    return Windows(torch.cat(data), torch.cat(pieces), adapter.spec.channels, names)
