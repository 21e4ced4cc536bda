"""Data sets of small pictures in IDX files: a magic number, the size of each axis, and the bytes."""

from __future__ import annotations

import gzip
import logging
import math
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae.core import Adapter, Windows
from musicae.datasets.shared.cache import data_folder
from musicae.datasets.shared.fetch import fetch
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError
from musicae.formats.folders import files_in
from musicae.memory import check_memory

__all__ = ["IdxSet", "Part", "idx_windows"]

_LEVELS = 255
_UNSIGNED_BYTES = 8  # The type in an IDX file's magic number.


@dataclass(frozen=True)
class IdxSet:
    """A data set in IDX files: its name, the address of its files, and the size in bytes and SHA-256 of each."""

    name: str
    url: str
    files: dict[str, tuple[int, str]]


@dataclass(frozen=True)
class Part:
    """Which part of a set to read: a `split`; a seeded hash picks the share `validation` of the training files.

    `folder` holds the files; None is the user's data folder, to which they are downloaded.
    """

    split: str
    folder: Path | None
    seed: int
    validation: float


def idx_windows(source: IdxSet, adapter: Adapter, part: Part, classes: tuple[str, ...]) -> Windows:
    """Return a part of a set as windows, with labels; `classes` are the names of these."""
    split, folder = part.split, part.folder
    check(split)
    if len(adapter.spec.shape) != 2:
        raise MusicaeError(f"the data set '{source.name}' needs windows of two axes; use it with the adapter 'image'")
    stem = "t10k" if split == "test" else "train"
    pictures = _read(_path(source, f"{stem}-images", 3, folder), 3)
    labels = _read(_path(source, f"{stem}-labels", 1, folder), 1)
    if len(pictures) != len(labels):
        raise MusicaeError(f"the {stem} files of {source.name} have {len(pictures)} pictures and {len(labels)} labels")
    if int(labels.max(initial=0)) >= len(classes):
        raise MusicaeError(
            f"the {stem} labels of {source.name} go up to {labels.max()}, but there are {len(classes)} classes"
        )
    index = torch.arange(len(pictures))
    if split != "test":
        chosen = [split_of(str(i), part.seed, 0.0, part.validation) == split for i in range(len(pictures))]
        index = index[torch.tensor(chosen, dtype=torch.bool)]
    data = _fit(torch.from_numpy(pictures)[index], adapter.spec.full_shape)
    kept = torch.from_numpy(labels)[index].long()
    return Windows(data, index.int(), adapter.spec.channels, list(classes), kept, _LEVELS)


def _fit(data: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return uint8 ``(N, h, w)`` as ``(N, C, H, W)``: centred, padded with black or cropped, in all channels."""
    channels, height, width = shape
    down, right = height - data.shape[1], width - data.shape[2]
    edges = (right // 2, right - right // 2, down // 2, down - down // 2)
    return torch.nn.functional.pad(data, edges)[:, None].expand(-1, channels, -1, -1)


def _path(source: IdxSet, stem: str, axes: int, folder: Path | None) -> Path:
    """Return the path of the file `stem`: under `folder`, or else downloaded to the user's data folder."""
    if folder is not None:
        if not folder.is_dir():
            raise MusicaeError(f"no folder {folder}; check the path given with --data")
        return _find(source, stem, axes, folder) or _missing(source, stem, axes, folder)
    home = data_folder() / source.name
    if home.is_dir() and (path := _find(source, stem, axes, home)):
        return path
    size, digest = source.files[stem]
    name = f"{stem}-idx{axes}-ubyte.gz"
    return fetch(source.url + name, digest, home / name, _progress(f"{source.name}: {name}", size))


def _missing(source: IdxSet, stem: str, axes: int, folder: Path) -> Path:
    raise MusicaeError(
        f"no {stem}-idx{axes}-ubyte.gz of {source.name} under {folder}; check the path given with --data, "
        "or leave it out to download the files"
    )


def _find(source: IdxSet, stem: str, axes: int, folder: Path) -> Path | None:
    named = re.compile(rf"{stem}[.-]idx{axes}-ubyte(\.gz)?")
    suffixes = (".gz", "", f".idx{axes}-ubyte")
    paths = [path for path in files_in(folder, suffixes) if named.fullmatch(path.name)]
    # A folder may hold several sets, each in a folder of its name. A file may also be there unpacked, next to its .gz.
    own = [path for path in paths if source.name in (parent.name for parent in path.parents)]
    folders = {path.parent for path in own or paths}
    if len(folders) > 1:
        listed = ", ".join(sorted(map(str, folders)))
        raise MusicaeError(f"there are several {stem} files, in {listed}; name one of these folders with --data")
    return next(iter(own or paths), None)


def _progress(what: str, size: int) -> Callable[[int, int], None]:
    """Return a `report` for `fetch` that logs each quarter of a file."""
    quarters = -1

    def report(done: int, total: int) -> None:
        nonlocal quarters
        now = 4 * done // max(total, size)
        if now > quarters:
            logging.getLogger("musicae").warning("downloading %s: %.1f of %.1f MB", what, done / 1e6, size / 1e6)
        quarters = max(quarters, now)

    return report


def _read(path: Path, axes: int) -> NDArray[np.uint8]:
    """Return the content of an IDX file, gzipped or not: uint8 with `axes` axes."""
    start = 4 + 4 * axes
    try:
        with path.open("rb") as packed:
            is_packed = packed.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_packed else path.open("rb") as file:
            zero, kind, count, *shape = struct.unpack(f">HBB{axes}I", file.read(start))
            size = math.prod(shape) if (zero, kind, count) == (0, _UNSIGNED_BYTES, axes) else -1
            check_memory(2 * size, str(path))
            # One byte more, to see whether the file goes on; never all that it may unpack to.
            content = bytearray(file.read(size + 1))
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise MusicaeError(f"{path} is damaged or cut short ({error}); download it again") from error
    if len(content) != size:
        raise MusicaeError(f"{path} is not a complete IDX file of {axes} axes of bytes; download it again")
    return np.frombuffer(content, np.uint8).reshape(shape)
