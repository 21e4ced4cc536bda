"""Shared by all data sets of notes: cut many scores into windows to train on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae import registry
from musicae.core import Adapter, File, Likelihood, Packed, Sample, Spec, Windows
from musicae.datasets.shared.left_out import LeftOut
from musicae.errors import MusicaeError
from musicae.processes import end_with_parent
from musicae.threads import cores

__all__ = ["Piece", "collect", "cut", "pack", "read_all", "read_piece", "subset", "unreadable"]

_MIN_JOBS_TO_SHARE = 2000  # Reading fewer files is faster than starting processes.


def subset(windows: Windows, keep: Callable[[str], bool]) -> Windows:
    """Return the windows of the pieces whose name `keep` accepts."""
    chosen = torch.tensor([keep(name) for name in windows.names], dtype=torch.bool)
    return windows.subset(chosen[windows.pieces.long()].nonzero().squeeze(1))


class Piece(NamedTuple):
    """A piece's name, its `data` from the first window to the last, ``(L,)`` or ``(C, L)``, and where these start.

    A window that the piece repeats is there once; they are in the order of their values. `error` says why there are
    none if it cannot be read.
    """

    name: str
    data: NDArray[Any]
    starts: NDArray[np.int64]
    error: str = ""

    def windows(self, size: int) -> Tensor:
        """Return the windows, ``(N, size)`` or ``(N, C, size)``, as in `Windows.data`."""
        return torch.from_numpy(_windows(self.data, self.starts, size))


def unreadable(name: str, error: MusicaeError) -> Piece:
    """Return a piece that cannot be read."""
    return Piece(name, np.empty(0), np.empty(0, np.int64), str(error))


def read_piece(adapter: Adapter, name: str, file: File, **options: Any) -> Piece:
    """Read a file of notes, with the `options` of the adapter; one that cannot be read has an error."""
    try:
        found = adapter.read_packed(file, **options)
    except MusicaeError as error:
        return unreadable(name, error)
    return cut(adapter.spec, name, found if isinstance(found, Packed) else pack(adapter, found))


def read_all(read: Callable[[Any], list[Piece]], jobs: Sequence[Any]) -> list[Piece]:
    """Map `read` over `jobs`, in several processes if there are thousands; the order is kept."""
    workers = cores()
    if len(jobs) < _MIN_JOBS_TO_SHARE or workers < 2:
        return [piece for job in jobs for piece in read(job)]
    with ProcessPoolExecutor(workers, initializer=end_with_parent) as pool:
        return [piece for pieces in pool.map(read, jobs, chunksize=64) for piece in pieces]


def pack(adapter: Adapter, sample: Sample) -> Packed:
    """Return a sample as training keeps it. Raise MusicaeError for an adapter whose samples are not notes."""
    roll = adapter.roll(sample)
    if roll is None:
        raise MusicaeError("this data set holds notes; use it with the adapter 'melody' or 'drums'")
    _, numerator, denominator = roll.meters[0]
    whole = sample.tensor[None]
    onset, sounding = adapter.onsets(whole).bool().any(1)[0], adapter.sounding(whole)[0]
    data = _likelihood(adapter.spec).pack(whole)[0]
    return Packed(data.numpy(), onset.numpy(), sounding.numpy(), 4 * roll.steps_per_beat * numerator / denominator)


def cut(spec: Spec, name: str, packed: Packed) -> Piece:
    """Cut one piece into the windows to train on.

    A window starts at each bar, or every few bars if they are short. Windows with at least two onsets and no gap longer
    than half a window are kept; at most half of the last one may be padding.
    """
    size, length = spec.shape[-1], packed.data.shape[-1]
    starts = _starts(length, size, _hop(packed.bar, size))
    padding = max(0, int(starts[-1]) + size - length)
    onset, sounding = (np.append(mask, np.zeros(padding, bool)) for mask in (packed.onset, packed.sounding))
    blank = np.repeat(_blank(spec).astype(packed.data.dtype), padding, axis=-1)
    data = np.concatenate([packed.data, blank], axis=-1)
    starts = starts[_usable(onset, sounding, starts, size)]
    return Piece(name, data, starts[_once(_windows(data, starts, size))])


@cache
def _likelihood(spec: Spec) -> Likelihood:
    likelihood: Likelihood = registry.build("likelihoods", spec.likelihood)
    return likelihood.bind(spec)


@cache
def _blank(spec: Spec) -> NDArray[Any]:
    """Return a step of nothing as it is kept, ``(1,)`` or ``(C, 1)``."""
    likelihood = _likelihood(spec)
    blank: NDArray[Any] = likelihood.pack(likelihood.blank(spec.channels)[None, :, None])[0].numpy()
    return blank


def _hop(bar_steps: float, size: int) -> int:
    """Return the steps from one window to the next: a bar, or several short ones that make about half a window."""
    bar = max(1, round(bar_steps))
    return min(size, bar * math.ceil(size / 2 / bar)) if bar < size / 2 else min(bar, size)


def _starts(length: int, size: int, hop: int) -> NDArray[np.int64]:
    """Return the first steps of windows: none is padded by more than half, and at most one goes beyond the end."""
    # The last window that may be: not padded by more than half, and the one before it must not reach the end.
    padded, beyond = (length - size // 2) // hop, -(-(length - size) // hop)
    return np.arange(max(0, min(padded, beyond, (length - 1) // hop)) + 1) * hop


def _windows(data: NDArray[Any], starts: NDArray[np.int64], size: int) -> NDArray[Any]:
    """Return the windows of ``(L,)`` as ``(N, size)``, of ``(C, L)`` as ``(N, C, size)``."""
    places = starts[:, None] + np.arange(size)
    return data[places] if data.ndim == 1 else np.ascontiguousarray(data[:, places].swapaxes(0, 1))


def _once(windows: NDArray[Any]) -> list[int]:
    """Return the places of windows ``(N, ...)`` without those that repeat another, in the order of their values."""
    rows = windows.reshape(len(windows), math.prod(windows.shape[1:]))
    if rows.dtype not in (np.uint8, np.bool_):
        return [int(i) for i in np.unique(rows, axis=0, return_index=True)[1]]
    # Bytes sort as their numbers do.
    content, size = rows.tobytes(), rows.shape[1]
    places = {content[i * size : (i + 1) * size]: i for i in reversed(range(len(rows)))}
    return [places[row] for row in sorted(places)]


def _usable(onset: NDArray[np.bool_], sounding: NDArray[np.bool_], starts: Any, size: int) -> NDArray[np.bool_]:
    """Return which windows have two onsets and no long gap, ``(N,)``, from masks of the steps of a piece ``(L,)``."""
    begun = np.append(0, onset.cumsum())
    # A gap is too long if it has more than half of the steps.
    least = size // 2 + 1
    heard = np.append(0, sounding.cumsum())
    silent = np.append(0, (heard[least:] == heard[:-least]).cumsum())
    usable: NDArray[np.bool_] = (begun[starts + size] - begun[starts] >= 2) & (
        silent[starts + size - least + 1] == silent[starts]
    )
    return usable


def collect(adapter: Adapter, found: Iterable[Piece], what: str) -> Windows:
    """Collect the windows of many pieces."""
    names: list[str] = []
    data: list[Tensor] = []
    pieces: list[Tensor] = []
    left_out = LeftOut(what)
    for piece in found:
        if piece.error:
            error = piece.error
            left_out.add("that cannot be read", error if piece.name in error else f"{piece.name}: {error}")
            continue
        if not len(piece.starts):
            left_out.add("without two notes in a window and no long gap", piece.name)
            continue
        data.append(piece.windows(adapter.spec.shape[-1]))
        pieces.append(torch.full((len(piece.starts),), len(names), dtype=torch.int32))
        names.append(piece.name)
    left_out.report(len(names))
    if not data:
        raise MusicaeError(f"there are no {what}; give some with --data")
    return Windows(torch.cat(data), torch.cat(pieces), adapter.spec.channels, names)
