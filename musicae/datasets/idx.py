"""MNIST and Fashion-MNIST: 60,000 small grey pictures to train on and 10,000 to test with, of ten classes each.

LeCun, Cortes and Burges (1998), and Xiao, Rasul and Vollgraf (2017, MIT licence). Their files are IDX: a magic
number, the size of each axis, the bytes.
"""

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

from ..core import Adapter, Windows
from ..errors import MusicaeError
from .cache import data_folder
from .fetch import fetch
from .split import check, split_of

__all__ = ["fashion_mnist", "mnist"]

_LEVELS = 255
_UNSIGNED_BYTES = 8  # The type in an IDX file's magic number.


@dataclass(frozen=True)
class _Source:
    """Where a set is fetched from: the address, then size and SHA-256 of each file; and what its classes are."""

    name: str
    url: str
    files: dict[str, tuple[int, str]]
    classes: tuple[str, ...]


_MNIST = _Source(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "train-labels": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "t10k-images": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        "t10k-labels": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    },
    tuple("0123456789"),
)
_FASHION_MNIST = _Source(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    {
        "train-images": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train-labels": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "t10k-images": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "t10k-labels": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
    ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
)


def mnist(adapter: Adapter, split: str, folder: Path | None, *, seed: int = 0, validation: float = 0.05) -> Windows:
    """Return one split of MNIST, handwritten digits; labels are the digits, `pieces` the places in the files.

    The test split is the set's own; of the 60,000 others a seeded hash of the place chooses the share `validation`.
    With no `folder`, the files (12 MB) are fetched into the user's data folder if they are not there yet.
    """
    return _windows(_MNIST, adapter, split, folder, seed, validation)


def fashion_mnist(
    adapter: Adapter, split: str, folder: Path | None, *, seed: int = 0, validation: float = 0.05
) -> Windows:
    """Return one split of Fashion-MNIST, pictures of clothes (31 MB to fetch); see `mnist`."""
    return _windows(_FASHION_MNIST, adapter, split, folder, seed, validation)


# What the labels of a conditional model are called.
mnist.classes = _MNIST.classes  # type: ignore[attr-defined]
fashion_mnist.classes = _FASHION_MNIST.classes  # type: ignore[attr-defined]


def _windows(
    source: _Source, adapter: Adapter, split: str, folder: Path | None, seed: int, validation: float
) -> Windows:
    check(split)
    if len(adapter.spec.shape) != 2:
        raise MusicaeError(f"the data set '{source.name}' is of pictures; use it with the adapter 'image'")
    part = "t10k" if split == "test" else "train"
    pictures = _read(_path(source, f"{part}-images", 3, folder), 3)
    labels = _read(_path(source, f"{part}-labels", 1, folder), 1)
    if len(pictures) != len(labels):
        raise MusicaeError(f"the {part} files of {source.name} have {len(pictures)} pictures and {len(labels)} labels")
    if int(labels.max(initial=0)) >= len(source.classes):
        raise MusicaeError(f"the {part} labels of {source.name} go up to {labels.max()}; they are of another data set")
    index = torch.arange(len(pictures))
    if split != "test":
        wanted = [split_of(str(i), seed, 0.0, validation) == split for i in range(len(pictures))]
        index = index[torch.tensor(wanted, dtype=torch.bool)]
    data = _fitted(torch.from_numpy(pictures)[index], adapter.spec.full_shape)
    chosen = torch.from_numpy(labels)[index].long()
    return Windows(data, index.int(), adapter.spec.channels, list(source.classes), chosen, _LEVELS)


def _fitted(data: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return uint8 ``(N, C, H, W)`` of ``(N, h, w)``: centred, black around it or its edges cut; channels alike."""
    channels, height, width = shape
    down, right = height - data.shape[1], width - data.shape[2]
    edges = (right // 2, right - right // 2, down // 2, down - down // 2)
    return torch.nn.functional.pad(data, edges)[:, None].expand(-1, channels, -1, -1)


def _path(source: _Source, stem: str, axes: int, folder: Path | None) -> Path:
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


def _missing(source: _Source, stem: str, axes: int, folder: Path) -> Path:
    raise MusicaeError(
        f"no {stem}-idx{axes}-ubyte.gz of {source.name} under {folder}; check the path given with --data, "
        "or leave it out to fetch the files"
    )


def _found(source: _Source, stem: str, axes: int, folder: Path) -> Path | None:
    named = re.compile(rf"{stem}[.-]idx{axes}-ubyte(\.gz)?")
    found = sorted(path for path in folder.rglob(f"{stem}*") if path.is_file() and named.fullmatch(path.name))
    # A folder that holds several sets has one for each, named after it; a file unpacked beside its .gz is the same.
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
    """Return what an IDX file holds, packed by gzip or not: uint8 with `axes` axes."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        zero, kind, count, *shape = struct.unpack_from(f">HBB{axes}I", content)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise MusicaeError(f"{path} is damaged or cut short ({error}); fetch it again") from error
    start = 4 + 4 * axes
    if (zero, kind, count) != (0, _UNSIGNED_BYTES, axes) or len(content) - start != int(np.prod(shape)):
        raise MusicaeError(f"{path} is not a whole IDX file of {axes} axes of bytes; fetch it again")
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)
