"""Data sets of small pictures in IDX files: a magic number, the size of each axis, the bytes."""

from __future__ import annotations

import gzip
import logging
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
    """Which part of a set is wanted: a `split`; of all but the test files a seeded hash chooses the `validation` share.

    `folder` is where the files lie; None stands for the user's data folder, to which they are fetched.
    """

    split: str
    folder: Path | None
    seed: int
    validation: float


def idx_windows(source: IdxSet, adapter: Adapter, wanted: Part, classes: tuple[str, ...]) -> Windows:
    """Return a part of a set as windows, with labels; `classes` are what these are called."""
    split, folder = wanted.split, wanted.folder
    check(split)
    if len(adapter.spec.shape) != 2:
        raise MusicaeError(f"the data set '{source.name}' is of pictures; use it with the adapter 'image'")
    part = "t10k" if split == "test" else "train"
    pictures = _read(_path(source, f"{part}-images", 3, folder), 3)
    labels = _read(_path(source, f"{part}-labels", 1, folder), 1)
    if len(pictures) != len(labels):
        raise MusicaeError(f"the {part} files of {source.name} have {len(pictures)} pictures and {len(labels)} labels")
    if int(labels.max(initial=0)) >= len(classes):
        raise MusicaeError(
            f"the {part} labels of {source.name} go up to {labels.max()}, but there are {len(classes)} classes"
        )
    index = torch.arange(len(pictures))
    if split != "test":
        chosen = [split_of(str(i), wanted.seed, 0.0, wanted.validation) == split for i in range(len(pictures))]
        index = index[torch.tensor(chosen, dtype=torch.bool)]
    data = _fitted(torch.from_numpy(pictures)[index], adapter.spec.full_shape)
    kept = torch.from_numpy(labels)[index].long()
    return Windows(data, index.int(), adapter.spec.channels, list(classes), kept, _LEVELS)


def _fitted(data: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return uint8 ``(N, C, H, W)`` of ``(N, h, w)``: centred, padded with black or cropped; all channels alike."""
    channels, height, width = shape
    down, right = height - data.shape[1], width - data.shape[2]
    edges = (right // 2, right - right // 2, down // 2, down - down // 2)
    return torch.nn.functional.pad(data, edges)[:, None].expand(-1, channels, -1, -1)


def _path(source: IdxSet, stem: str, axes: int, folder: Path | None) -> Path:
    """Return the file `stem`: under `folder`, or else in the user's data folder, where it is fetched to."""
    if folder is not None:
        if not folder.is_dir():
            raise MusicaeError(f"no folder {folder}; check the path given with --data")
        return _found(source, stem, axes, folder) or _missing(source, stem, axes, folder)
    home = data_folder() / source.name
    if home.is_dir() and (found := _found(source, stem, axes, home)):
        return found
    size, digest = source.files[stem]
    name = f"{stem}-idx{axes}-ubyte.gz"
    return fetch(source.url + name, digest, home / name, _progress(f"{source.name}: {name}", size))


def _missing(source: IdxSet, stem: str, axes: int, folder: Path) -> Path:
    raise MusicaeError(
        f"no {stem}-idx{axes}-ubyte.gz of {source.name} under {folder}; check the path given with --data, "
        "or leave it out to fetch the files"
    )


def _found(source: IdxSet, stem: str, axes: int, folder: Path) -> Path | None:
    named = re.compile(rf"{stem}[.-]idx{axes}-ubyte(\.gz)?")
    found = sorted(path for path in folder.rglob(f"{stem}*") if path.is_file() and named.fullmatch(path.name))
    # A folder of several sets has a folder for each, named after it; a file unpacked beside its .gz is the same file.
    own = [path for path in found if source.name in (parent.name for parent in path.parents)]
    folders = {path.parent for path in own or found}
    if len(folders) > 1:
        listed = ", ".join(sorted(str(one) for one in folders))
        raise MusicaeError(f"there are several {stem} files, in {listed}; name one of these folders with --data")
    return next(iter(own or found), None)


def _progress(what: str, size: int) -> Callable[[int, int], None]:
    """Return a `report` for `fetch` that logs each quarter of a file."""
    quarters = -1

    def report(done: int, total: int) -> None:
        nonlocal quarters
        now = 4 * done // max(total, size)
        if now > quarters:
            logging.getLogger("musicae").warning("fetching %s: %.1f of %.1f MB", what, done / 1e6, size / 1e6)
        quarters = max(quarters, now)

    return report


def _read(path: Path, axes: int) -> NDArray[np.uint8]:
    """Return what an IDX file holds, gzipped or not: uint8 with `axes` axes."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        zero, kind, count, *shape = struct.unpack_from(f">HBB{axes}I", content)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise MusicaeError(f"{path} is damaged or cut short ({error}); fetch it again") from error
    start = 4 + 4 * axes
    if (zero, kind, count) != (0, _UNSIGNED_BYTES, axes) or len(content) - start != int(np.prod(shape)):
        raise MusicaeError(f"{path} is not a complete IDX file of {axes} axes of bytes; fetch it again")
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)
