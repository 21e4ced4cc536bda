"""Which files are the same song: those whose melodies share many phrases, in any key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from musicae.core import Stored, Windows
from musicae.tensors.melody_tokens import FIRST_ONSET

__all__ = ["alike", "joined", "phrases"]

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_NOTES = 6  # Of a phrase.
_PITCHES = 3  # Different ones in a phrase, at least: any bass plays two.
_COMMON = 20  # A phrase that more files share does not count: it is a scale, or a cadence.
_SHARED, _SHARE = 8, 0.3  # Phrases that two files of one song share, and of those of the shorter one.
_AT_ONCE = 1 << 16  # Windows in memory.


def phrases(windows: Windows) -> tuple[Hashes, Ints]:
    """Return the phrases of melodies: a number for each, ``(N,)``, and its piece, ``(N,)``; each once a piece.

    `windows` are those of tokens ``(N, T)`` (see `musicae.tensors.melody_tokens`). A phrase is six notes, one after
    another in a window, with three pitches or more: their intervals, and the steps between their onsets. So neither
    the key nor the place in the bar matters.
    """
    found = [_phrases(tokens, pieces) for tokens, pieces in _parts(windows)]
    hashes = np.concatenate([np.empty(0, np.uint64), *(hashes for hashes, _ in found)])
    pieces = np.concatenate([np.empty(0, np.int64), *(pieces for _, pieces in found)])
    return _once(hashes, pieces)


def _parts(windows: Windows) -> Iterator[tuple[NDArray[np.uint8], Ints]]:
    for index in torch.split(torch.arange(len(windows)), _AT_ONCE):
        data = windows.data
        tokens = data.kept(index) if isinstance(data, Stored) else data[index]
        yield tokens.numpy(), windows.pieces[index].numpy().astype(np.int64)


def _phrases(tokens: NDArray[np.uint8], pieces: Ints) -> tuple[Hashes, Ints]:
    row, step = np.nonzero(tokens >= FIRST_ONSET)
    pitch = tokens[row, step].astype(np.int64)
    begin = np.flatnonzero(row[: len(row) - _NOTES + 1] == row[_NOTES - 1 :])
    places = begin[:, None] + np.arange(_NOTES)
    pitches, steps = pitch[places], step[places]
    different = 1 + np.count_nonzero(np.diff(np.sort(pitches, axis=1), axis=1), axis=1)
    rich = different >= _PITCHES
    moves = np.concatenate([np.diff(pitches[rich], axis=1), np.diff(steps[rich], axis=1)], axis=1).astype(np.uint64)
    factors = np.random.default_rng(0).integers(1 << 63, size=moves.shape[1], dtype=np.uint64) * 2 + 1
    sums = (moves * factors).sum(1, dtype=np.uint64)
    return _once(sums ^ sums >> np.uint64(32), pieces[row[begin[rich]]])


def _once(hashes: Hashes, pieces: Ints) -> tuple[Hashes, Ints]:
    order = np.lexsort((pieces, hashes))
    hashes, pieces = hashes[order], pieces[order]
    new = np.append(True, (hashes[1:] != hashes[:-1]) | (pieces[1:] != pieces[:-1]))[: len(hashes)]
    return hashes[new], pieces[new]


def alike(hashes: Hashes, pieces: Ints) -> Ints:
    """Return the pairs of pieces ``(N, 2)`` with the same melody, from their `phrases`.

    They share eight phrases or more, and 30 % of those of the piece that has fewer. Phrases of more than twenty pieces
    do not count.
    """
    if not len(hashes):
        return np.empty((0, 2), np.int64)
    first = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1]))
    counts = np.diff(np.append(first, len(hashes)))
    count = int(pieces.max()) + 1
    own = np.bincount(pieces[np.repeat(counts <= _COMMON, counts)], minlength=count)
    codes = []
    for owners in range(2, _COMMON + 1):
        shared = pieces[first[counts == owners][:, None] + np.arange(owners)]
        a, b = np.triu_indices(owners, 1)
        codes.append((shared[:, a] * count + shared[:, b]).ravel())
    code, times = np.unique(np.concatenate(codes), return_counts=True)
    pairs = np.stack([code // count, code % count], axis=1)
    same: Ints = pairs[(times >= _SHARED) & (times >= _SHARE * own[pairs].min(1))]
    return same


def joined(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the smallest name of the group of each name; the two of a pair are in one group."""
    leader = {name: name for name in names}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]
        return name

    for one, other in pairs:
        low, high = sorted((find(one), find(other)))
        leader[high] = low
    return {name: find(name) for name in names}
