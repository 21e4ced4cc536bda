"""Shared by all data sets of notes: cut many scores into windows to train on."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musicae import registry
from musicae.core import Adapter, File, Likelihood, Packed, Sample, Spec, Windows
from musicae.datasets.shared.prepare import Plan, prepared
from musicae.datasets.shared.shards import Piece
from musicae.errors import MusicaeError

__all__ = ["FILES_A_SHARD", "collect", "cut", "pack", "read_piece", "subset", "unreadable"]

FILES_A_SHARD = 512
"""Files of notes that are prepared together: half a second's work, and a megabyte."""

_LONG = 128  # Windows of so many steps (eight bars of sixteenths) or more start at each bar.
_PARTS = 2  # So many must play in a window.


def subset(windows: Windows, keep: Callable[[str], bool]) -> Windows:
    """Return the windows of the pieces whose name `keep` accepts."""
    chosen = torch.tensor([keep(name) for name in windows.names], dtype=torch.bool)
    return windows.subset(chosen[windows.pieces.long()].nonzero().squeeze(1))


def unreadable(name: str, error: MusicaeError) -> Piece:
    """Return a piece that cannot be read."""
    why = str(error) if name in str(error) else f"{name}: {error}"
    return Piece(name, np.empty(0), np.empty(0, np.int64), (("that cannot be read", why),))


def read_piece(adapter: Adapter, name: str, file: File, **options: Any) -> Piece:
    """Read a file of notes, with the `options` of the adapter, and cut it."""
    try:
        found = adapter.read_packed(file, **options)
    except MusicaeError as error:
        return unreadable(name, error)
    return cut(adapter, name, found if isinstance(found, Packed) else pack(adapter, found))


def pack(adapter: Adapter, sample: Sample) -> Packed:
    """Return a sample as training keeps it. Raise MusicaeError for an adapter whose samples are not notes."""
    rolls = adapter.rolls(sample)
    if not rolls:
        raise MusicaeError("this data set holds notes; use it with the adapter 'melody' or 'drums'")
    _, numerator, denominator = rolls[0].meters[0]
    whole = sample.tensor[None]
    onset, sounding = adapter.onsets(whole).bool().any(1)[0], adapter.sounding(whole)[0]
    data = _likelihood(adapter.spec).pack(whole)[0]
    return Packed(data.numpy(), onset.numpy(), sounding.numpy(), 4 * rolls[0].steps_per_beat * numerator / denominator)


def cut(adapter: Adapter, name: str, packed: Packed) -> Piece:
    """Cut one piece into the windows to train on.

    A window starts at each bar, or every few bars if they are short. Windows with at least two onsets and no gap longer
    than half a window are kept, of several parts those in which two play; at most half of the last one may be padding.
    A window that the piece repeats is there once, and they are in the order of their values.
    """
    size, length = adapter.spec.shape[-1], packed.data.shape[-1]
    starts = _starts(length, size, _hop(packed.bar, size))
    padding = max(0, int(starts[-1]) + size - length)
    onset, sounding = (np.append(mask, np.zeros(padding, bool)) for mask in (packed.onset, packed.sounding))
    blank = np.repeat(_blank(adapter).astype(packed.data.dtype), padding, axis=-1)
    data = np.concatenate([packed.data, blank], axis=-1)
    starts, reason = starts[_usable(onset, sounding, starts, size)], "without two notes in a window and no long gap"
    if packed.parts is not None and len(starts):
        starts, reason = starts[_together(packed.parts, starts, size)], "in which no two parts play together"
    starts = starts[_once(_windows(data, starts, size))]
    return Piece(name, data, starts, () if len(starts) else ((reason, name),))


@cache
def _likelihood(spec: Spec) -> Likelihood:
    likelihood: Likelihood = registry.build("likelihoods", spec.likelihood)
    return likelihood.bind(spec)


def _blank(adapter: Adapter) -> NDArray[Any]:
    """Return a step of nothing as it is kept, ``(1,)`` or ``(C, 1)``."""
    return _likelihood_blank(adapter.spec) if adapter.packed_blank is None else adapter.packed_blank


@cache
def _likelihood_blank(spec: Spec) -> NDArray[Any]:
    likelihood = _likelihood(spec)
    blank: NDArray[Any] = likelihood.pack(likelihood.blank(spec.channels)[None, :, None])[0].numpy()
    return blank


def _hop(bar_steps: float, size: int) -> int:
    """Return the steps from one window to the next: a bar, or several short ones that make about half a window.

    A long window starts at each bar, however short.
    """
    bar = max(1, round(bar_steps))
    if size >= _LONG and bar < size:
        return bar
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


def _together(parts: NDArray[np.bool_], starts: Any, size: int) -> NDArray[np.bool_]:
    """Return in which windows two parts or more sound for a quarter of it, ``(N,)``, from ``(P, L)``."""
    heard = np.pad(parts, ((0, 0), (0, size))).cumsum(1)
    heard = np.pad(heard, ((0, 0), (1, 0)))
    playing = 4 * (heard[:, starts + size] - heard[:, starts]) >= size
    together: NDArray[np.bool_] = playing.sum(0) >= _PARTS
    return together


def collect(adapter: Adapter, plan: Plan) -> Windows:
    """Return the windows of all pieces, which the plan's `read` makes as `cut` does. Raise MusicaeError for none."""
    window = (*_blank(adapter).shape[:-1], adapter.spec.shape[-1])
    windows, left_out = prepared(plan, window, adapter.spec.channels)
    left_out.report(len(windows.names))
    if not len(windows):
        raise MusicaeError(f"there are no {plan.what}; give some with --data")
    return adapter.unpacked(windows)
