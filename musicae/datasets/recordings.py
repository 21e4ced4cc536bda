"""Any folder of recordings, cut into windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache
from musicae.datasets.shared.prepare import Plan, batched, prepared
from musicae.datasets.shared.shards import Piece
from musicae.datasets.shared.sound_folder import grouped
from musicae.errors import MusicaeError
from musicae.ranges import CountOrNone, Decibels, Frequency, Seed, Share

__all__ = ["recordings"]

Samples = NDArray[np.float32]

_LEVELS = 32_767  # Windows are kept in 16 bits.
_MIN_POWER = 1e-6  # Of a window, -60 dB; quieter ones are left out.
_MIN_MOMENT_POWER = 1e-9  # -90 dB: quieter moments do not widen the dynamic range.
_MAX_HELD = 3  # Times `max_windows`; of more, a random choice is kept.
_MOST_PIECES, _MOST_BYTES = 64, 2**26  # Pieces that are prepared together, and the size of their files.
_MANY = 64  # Pieces that several processes share.
_TRAINING_LENGTH = 1.5  # Times the adapter's window, which is cut out at random.


@dataclass(frozen=True)
class _Options:
    """How to cut recordings: `length` in samples, `rate` in Hz; the others as in `recordings`."""

    rate: int
    length: int
    max_windows: int
    max_per_piece: int
    high_pass_hz: float
    min_dynamic_range_db: float
    seed: int


def recordings(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    test: Share = 0.05,
    validation: Share = 0.03,
    split_by: str = "file",
    max_windows: CountOrNone = 20_000,
    max_per_piece: CountOrNone = 0,
    high_pass_hz: Frequency = 0.0,
    min_dynamic_range_db: Decibels = 0.0,
) -> Windows:
    """Return one split of all recordings under `folder`, without silent windows.

    A seeded hash of a piece's name chooses its split. Windows of the training split are one and a half times as long
    as the adapter's, which cuts its own out of them. Raise MusicaeError if there is no recording.

    Parameters
    ----------
    adapter, split, folder, seed, test, validation : as for all data sets.
    split_by : a piece is each ``"file"``, or all files in a ``"folder"`` directly under `folder` (a speaker's), one
        after another.
    max_windows : how many windows to keep, chosen at random.
    max_per_piece : how many windows of a piece to keep; 0 for all.
    high_pass_hz : frequencies below it are removed; 0 for none.
    min_dynamic_range_db : between the loud and the quiet moments of a window; windows with less, whose pauses are full
        of noise, are left out.
    """
    if not adapter.sample_rate:
        raise MusicaeError("the data set 'recordings' holds samples of sound; use it with the adapter 'audio'")
    folder = cache.own_folder(folder, "recordings", "sound files")
    groups = grouped(adapter, split, folder, split_by, seed, test, validation)
    size, rate = adapter.spec.shape[0], adapter.sample_rate
    if not 0 <= high_pass_hz < rate / 2:
        raise MusicaeError(f"[dataset] high_pass_hz must be 0 or more and below {rate / 2:g} Hz, not {high_pass_hz}")
    length = int(_TRAINING_LENGTH * size) if split == "train" else size
    options = _Options(rate, length, max_windows, max_per_piece, high_pass_hz, min_dynamic_range_db, seed)
    paths = [path for group in groups.values() for path in group]
    key = cache.fingerprint(paths, folder, set="recordings", split_by=split_by, **asdict(options))
    sizes = [sum(map(cache.size_of, group)) for group in groups.values()]
    batches = batched(list(groups.items()), sizes, _MOST_PIECES, _MOST_BYTES)
    plan = Plan(f"recordings under {folder}", key, batches, partial(_read, adapter, options), many=_MANY)
    everything, left_out = prepared(plan, (1, length), 1, _LEVELS, empty=True)
    made = everything.subset(_chosen(torch.bincount(everything.pieces, minlength=len(groups)).tolist(), options))
    left_out.report(len(set(made.pieces.tolist())), needed=split == "train")
    return made


def _chosen(counts: list[int], options: _Options) -> Tensor:
    """Return which windows to keep, where the pieces have `counts` of them."""
    kept = [torch.empty(0, dtype=torch.long)]
    keys = [torch.empty(0)]  # A random number for each window: those with the smallest are kept.
    draws, thinned = torch.Generator().manual_seed(options.seed), False
    max_windows, first, held = options.max_windows, 0, 0
    for i, count in enumerate(counts):
        own = torch.arange(first, first + count)
        first += count
        if options.max_per_piece and count > options.max_per_piece:
            order = torch.randperm(count, generator=torch.Generator().manual_seed(options.seed + i))
            own = own[order[: options.max_per_piece].sort().values]
        kept.append(own)
        keys.append(torch.rand(len(own), generator=draws))
        held += len(own)
        if held > _MAX_HELD * max_windows:
            smallest = torch.cat(keys).argsort()[:max_windows].sort().values
            kept, keys = ([torch.cat(parts)[smallest]] for parts in (kept, keys))
            thinned, held = True, max_windows
    if held <= max_windows:
        return torch.cat(kept)
    draws.manual_seed(options.seed)
    order = torch.cat(keys).argsort() if thinned else torch.randperm(held, generator=draws)
    return torch.cat(kept)[order[:max_windows].sort().values]


def _read(adapter: Adapter, options: _Options, groups: Sequence[tuple[str, list[Path]]]) -> list[Piece]:
    """Return the windows of some pieces, each one's end to end ``(1, T)``."""
    pieces = []
    for name, paths in groups:
        left_out: list[tuple[str, str]] = []
        windows = _cut(adapter, paths, options, left_out)
        starts = options.length * np.arange(len(windows))
        pieces.append(Piece(name, windows.reshape(1, -1), starts, tuple(left_out)))
    return pieces


def _cut(adapter: Adapter, paths: list[Path], options: _Options, left_out: list[tuple[str, str]]) -> NDArray[np.int16]:
    """Return windows ``(n, length)`` of files, one after another, without silent or noisy ones."""
    length = options.length
    windows: list[NDArray[np.int16]] = []
    held, read = np.zeros(0, np.float32), False
    for block in _filtered(_blocks(adapter, paths, left_out), options):
        held, read = np.concatenate([held, block]), True
        count = len(held) // length
        rows = held[: count * length].reshape(count, length)
        windows += [_to_16_bits(row) for row in rows if _usable(row, options)]
        held = held[count * length :]
    if _usable(held, options) and (not windows or len(held) > length // 2):
        windows.append(_to_16_bits(np.resize(held, length)))  # A short remainder is looped.
    if read and not windows:
        least = options.min_dynamic_range_db
        noisy = f", or without quiet moments {least:g} dB below the loud ones (min_dynamic_range_db)" if least else ""
        left_out.append((f"silent{noisy}", paths[0].name))
    return np.stack(windows) if windows else np.zeros((0, length), np.int16)


def _filtered(blocks: Iterator[Samples], options: _Options) -> Iterator[Samples]:
    """Remove frequencies below `high_pass_hz`."""
    if not options.high_pass_hz:
        yield from blocks
        return
    from scipy.signal import butter, sosfilt, sosfilt_zi

    high_pass = butter(2, options.high_pass_hz, "high", fs=options.rate, output="sos")
    state = 0 * sosfilt_zi(high_pass)
    for block in blocks:
        if len(block):
            block, state = sosfilt(high_pass, block, zi=state)
        yield block


def _blocks(adapter: Adapter, paths: list[Path], left_out: list[tuple[str, str]]) -> Iterator[Samples]:
    for path in paths:
        try:
            yield from adapter.blocks(path)
        except MusicaeError as error:
            left_out.append(("that cannot be read", str(error)))


def _usable(window: Samples, options: _Options) -> bool:
    """Tell whether a window is neither silent nor noisy."""
    if not len(window) or float(np.square(window).mean()) <= _MIN_POWER:
        return False
    return _dynamic_range(window, options.rate) >= options.min_dynamic_range_db


def _dynamic_range(window: Samples, rate: int) -> float:
    """Return the dB between the loud and the quiet moments (percentiles 95 and 10) of 20 ms."""
    size = max(1, min(rate // 50, len(window)))
    moments = np.square(window[: len(window) // size * size].reshape(-1, size)).mean(1) + _MIN_MOMENT_POWER
    loud, quiet = np.percentile(10 * np.log10(moments), [95, 10])
    return float(loud - quiet)


def _to_16_bits(window: Samples) -> NDArray[np.int16]:
    return (np.clip(window, -1, 1) * _LEVELS).round().astype(np.int16)
