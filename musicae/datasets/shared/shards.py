"""Prepared data in files: safetensors shards of whole pieces, mapped into memory, and the windows cut from them.

A shard has the tensors ``data``, the pieces one after another along the last axis (or, for pictures, whose windows are
rows, the first), ``starts`` ``(W,)``, where its windows begin there, and ``counts`` ``(P,)``, how many each piece has.
Its header names the pieces, what was left out and why, and has checksums.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae.core import Stored
from musicae.errors import MusicaeError
from musicae.formats.atomic import atomic_write

__all__ = ["Piece", "Shard", "ShardedData", "open_shard", "pack_shard", "save_shard"]

Ints = NDArray[np.int64]

_DTYPES = {"BOOL": "?", "U8": "|u1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "F32": "<f4"}
_MAX_HEADER = 1 << 27  # Bytes.
_BLOCK = 1 << 20  # Bytes read at a time to check them.
_PAGE = 4096
_MAX_RESIDENT = 1 << 26  # Bytes of pages that are touched before all are given back.
_NONE: Ints = np.empty(0, np.int64)
_FEW = 4  # Windows of one shard up to which they are copied one by one.


class Piece(NamedTuple):
    """A piece's name, its `data`, where its windows start there, and what of it was left out: reasons and examples."""

    name: str
    data: NDArray[Any]
    starts: Ints
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass
class Shard:
    """Some pieces: `starts` are the places of all their windows in `data`, `counts` how many each piece has.

    Of a file, `data` is mapped when it is first asked for, after its checksum; `release` gives its memory back.
    """

    names: list[str]
    counts: Ints
    starts: Ints
    left_out: list[tuple[str, str]]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    path: Path | None = None
    key: str = ""
    at: int = 0
    checksum: int = 0
    checked: bool = False
    _data: NDArray[Any] | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """The bytes of `data`."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def data(self) -> NDArray[Any]:
        """The pieces. Raise MusicaeError for a file that was damaged or removed since it was opened."""
        if self._data is None:
            self._data = self._map()
        return self._data

    def _map(self) -> NDArray[Any]:
        assert self.path is not None
        if not self.size:
            return np.empty(self.shape, self.dtype)
        self._check()
        # Unlike those of `mmap`, these mappings keep no file open: there may be thousands.
        storage = torch.UntypedStorage.from_file(str(self.path), False, self.at + self.size)
        mapped = torch.empty(0, dtype=torch.uint8).set_(storage).numpy()  # type: ignore[arg-type]
        return np.ndarray(self.shape, self.dtype, mapped.data, self.at)

    def _check(self) -> None:
        if not self.is_whole():
            raise MusicaeError(
                f"the prepared data {self.path} was damaged or removed; run the same command again to prepare it anew"
            )

    def read(self, places: Sequence[int], windows: Sequence[NDArray[Any]]) -> None:
        """Fill `windows` with what begins at `places`, in bytes of `data`, in a file without mapping it.

        Large windows take no memory this way: Linux counts two megabytes around each page that is touched. Raise
        MusicaeError for a file that was damaged or removed.
        """
        assert self.path is not None
        self._check()
        try:
            with self.path.open("rb", buffering=0) as file:
                for place, window in zip(places, windows, strict=True):
                    file.seek(self.at + place)
                    self.checked &= file.readinto(_bytes(window)) == window.nbytes
        except OSError:
            self.checked = False
        self._check()

    def is_whole(self) -> bool:
        """Tell whether the data are what was written, and remove a file where they are not."""
        if self.path is None or self.checked:
            return True
        checksum, left = 0, self.size
        try:
            with self.path.open("rb") as file:
                file.seek(self.at)
                while block := file.read(min(_BLOCK, left)):
                    checksum, left = zlib.crc32(block, checksum), left - len(block)
        except OSError:
            return False
        self.checked = not left and checksum == self.checksum
        if not self.checked:
            self.path.unlink(missing_ok=True)
        return self.checked

    def release(self) -> None:
        """Give back the memory of a file's pages."""
        if self.path is not None:
            self._data = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | ({} if self.path is None else {"_data": None})


def pack_shard(pieces: Sequence[Piece], rows: bool) -> Shard:
    """Return pieces as a shard in memory; their windows are `rows` of their data, or cut from its last axis."""
    axis = 0 if rows else -1
    data = [piece.data for piece in pieces if len(piece.starts)]
    lengths = [piece.data.shape[axis] if len(piece.starts) else 0 for piece in pieces]
    offsets = np.cumsum([0, *lengths])
    starts = [piece.starts + offset for piece, offset in zip(pieces, offsets, strict=False)]
    joined = np.concatenate(data, axis=axis) if data else np.empty(0, np.uint8)
    return Shard(
        [piece.name for piece in pieces],
        np.array([len(piece.starts) for piece in pieces], np.int64),
        np.concatenate([_NONE, *starts]),
        [pair for piece in pieces for pair in piece.left_out],
        joined.shape,
        joined.dtype,
        _data=joined,
    )


def save_shard(shard: Shard, path: Path, key: str) -> None:
    """Write a shard, whole or not at all. Raise OutputError where it cannot be written."""
    from safetensors.numpy import save_file

    tensors = {"data": np.ascontiguousarray(shard.data), "starts": shard.starts, "counts": shard.counts}
    texts = json.dumps({"key": key, "names": shard.names, "left_out": shard.left_out})
    sums = {name: zlib.crc32(_bytes(tensor)) for name, tensor in tensors.items()}
    header = json.dumps({"texts": texts, "sums": sums | {"texts": zlib.crc32(texts.encode())}})
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, {"shard": header})


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def open_shard(path: Path, key: str) -> Shard | None:
    """Return a shard, its data unread; None for a file that is missing, of another key, or damaged in what is read."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_MAX_HEADER, size):
                return None
            header = json.loads(file.read(length))
            shard = json.loads(header["__metadata__"]["shard"])
            texts, sums = shard["texts"], shard["sums"]
            entries = {name: _entry(header[name], 8 + length) for name in ("data", "starts", "counts")}
            if max(end for *_, end in entries.values()) != size or zlib.crc32(texts.encode()) != sums["texts"]:
                return None
            found = json.loads(texts)
            arrays = {}
            for name in ("starts", "counts"):
                _, dtype, at, end = entries[name]
                file.seek(at)
                content = file.read(end - at)
                if zlib.crc32(content) != sums[name]:
                    return None
                arrays[name] = np.frombuffer(content, dtype)
        if found["key"] != key:
            return None
        shape, dtype, at, _ = entries["data"]
        left_out = [(reason, example) for reason, example in found["left_out"]]
        return Shard(
            found["names"], arrays["counts"], arrays["starts"], left_out, shape, dtype, path, key, at, sums["data"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _entry(entry: dict[str, Any], base: int) -> tuple[tuple[int, ...], np.dtype[Any], int, int]:
    """Return the shape, type, first and last place of a tensor in a file. Raise ValueError or others if damaged."""
    shape, dtype = tuple(map(int, entry["shape"])), np.dtype(_DTYPES[entry["dtype"]])
    begin, end = entry["data_offsets"]
    if min(shape, default=0) < 0 or begin < 0 or end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError
    return shape, dtype, base + begin, base + end


class ShardedData(Stored):
    """The windows of shards ``(N, *shape)``, in their order, or those that were chosen of them.

    `window` is the shape of one; with `rows` each is a row of its shard's data, else a part of its last axis.
    """

    def __init__(self, shards: Sequence[Shard], window: tuple[int, ...], rows: bool) -> None:
        self._rows = rows
        # Their indices become one.
        self._shards = [replace(shard, names=[], counts=_NONE, starts=_NONE, left_out=[]) for shard in shards]
        lengths = [shard.shape[0 if rows else -1] for shard in shards]
        self._bases = np.cumsum([0, *lengths])
        parts = [shard.starts + base for shard, base in zip(shards, self._bases, strict=False)]
        self._places = np.concatenate([_NONE, *parts])
        self.shape = (len(self._places), *window)
        dtypes = {shard.dtype for shard in shards if len(shard.starts)} or {np.dtype(np.uint8)}
        if len(dtypes) > 1:
            raise MusicaeError("the prepared data are of several types; delete the folder in the cache and try again")
        self._dtype = dtypes.pop()
        self.key = _key(self._shards, self._places)
        whole = rows or math.prod(window[:-1]) == 1
        large = math.prod(window) * self._dtype.itemsize >= _PAGE
        self._large = whole and large and all(shard.path for shard in shards)
        self._touched, self._weight = 0, _pages(window, self._dtype.itemsize) * _PAGE

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Return the windows at `index` ``(B,)``. Raise MusicaeError for a file that was damaged meanwhile."""
        places = self._places[index.numpy()]
        shards = np.searchsorted(self._bases, places, "right") - 1
        out = np.empty((len(places), *self.shape[1:]), self._dtype)
        if self._large:
            self._read(out, shards, places)
        elif len(places) <= _FEW * len(self._shards):
            self._copy(out, shards, places)
        else:
            self._gather(out, shards, places)
        self._touched += 0 if self._large else len(places) * self._weight
        if self._touched > _MAX_RESIDENT:
            self.release()
        return torch.from_numpy(out)

    def _read(self, out: NDArray[Any], shards: Ints, places: Ints) -> None:
        """Read windows from files."""
        unit = out[:1].nbytes if self._rows else self._dtype.itemsize
        for shard in np.unique(shards).tolist():
            own = np.flatnonzero(shards == shard).tolist()
            starts = (places[own] - self._bases[shard]) * unit
            self._shards[shard].read(starts.tolist(), [out[i] for i in own])

    def _copy(self, out: NDArray[Any], shards: Ints, places: Ints) -> None:
        """Copy windows one by one."""
        size = self.shape[-1]
        starts = places - self._bases[shards]
        for i, (shard, start) in enumerate(zip(shards.tolist(), starts.tolist(), strict=True)):
            data = self._shards[shard].data
            out[i] = data[start] if self._rows else data[..., start : start + size]

    def _gather(self, out: NDArray[Any], shards: Ints, places: Ints) -> None:
        """Copy the windows of one shard after another."""
        order = np.argsort(shards, kind="stable")
        numbers, firsts = np.unique(shards[order], return_index=True)
        span = np.arange(self.shape[-1])
        for shard, own in zip(numbers.tolist(), np.split(order, firsts[1:]), strict=True):
            data, starts = self._shards[shard].data, places[own] - self._bases[shard]
            if self._rows:
                out[own] = data[starts]
            else:
                out[own] = np.moveaxis(data[..., starts[:, None] + span], -2, 0)

    def release(self) -> None:
        """Give back the memory of all pages that were read."""
        self._touched = 0
        for shard in self._shards:
            shard.release()

    def subset(self, index: Tensor) -> ShardedData:
        """Return the windows at `index` ``(n,)``; nothing of them is read."""
        places = self._places[index.numpy()]
        chosen = ShardedData([], self.shape[1:], self._rows)
        chosen._shards, chosen._bases, chosen._places, chosen._dtype = self._shards, self._bases, places, self._dtype
        chosen._large = self._large
        chosen.key = self.key and _key(self._shards, places)
        chosen.shape, chosen._weight = (len(places), *self.shape[1:]), self._weight
        return chosen


def _key(shards: Sequence[Shard], places: Ints) -> str:
    """Return a key that tells windows from others, without reading them; an empty string for shards of no file."""
    if not all(shard.path for shard in shards):
        return ""
    digest = hashlib.blake2b(repr([(shard.key, shard.checksum, shard.size) for shard in shards]).encode())
    digest.update(_bytes(places))
    return digest.hexdigest()[:32]


def _pages(window: tuple[int, ...], itemsize: int) -> int:
    """Return how many pages a window may touch: one more than it fills, for each of its runs."""
    run = window[-1] * itemsize
    return math.prod(window[:-1]) * (run // _PAGE + 2)
