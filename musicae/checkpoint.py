"""A checkpoint: one safetensors file, tensors and a JSON header, written completely or not at all.

The header holds the format's version, the resolved preset, the step and the package's version.
Nothing in the file is ever run: names are looked up in the registry, tensors loaded strictly.
Files of format 1 are read under today's names (see `musicae.upgrade`).
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from musicae import upgrade
from musicae.errors import MusicaeError
from musicae.formats.atomic import atomic_write, make_folder

__all__ = ["FORMAT", "read", "read_header", "shapes", "write"]

FORMAT = 2
_KEY = "musicae"
_T = TypeVar("_T")


def write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any], half: bool = False) -> None:
    """Write `tensors` and the JSON-able `header` to `path`.

    `half` stores floating-point tensors as float16 where their values fit its range.
    The file appears under its name only when it is complete and on disk (fsync, rename).
    """
    from safetensors.torch import save

    stored = {name: (_half(tensor) if half else tensor).detach().cpu().contiguous() for name, tensor in tensors.items()}
    seen: set[int] = set()
    for name, tensor in stored.items():  # Safetensors stores no shared memory: of tied weights each gets a copy.
        address = tensor.untyped_storage().data_ptr()
        stored[name] = tensor.clone() if address in seen else tensor
        seen.add(address)
    text = json.dumps({"format": FORMAT, **header})
    make_folder(path.parent)
    with atomic_write(path) as temporary:
        temporary.write_bytes(save(stored, {_KEY: text}))


def _half(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    largest = tensor.abs().max().item() if tensor.numel() else 0.0
    return tensor.half() if largest < torch.finfo(torch.float16).max else tensor


def read_header(path: Path) -> dict[str, Any]:
    """Return the header of the checkpoint at `path`, with today's names, without reading its tensors."""
    with _open(path) as file:
        return _header(path, file)[0]


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors in the checkpoint at `path` by today's names, without loading them."""
    with _open(path) as file:
        header, version = _header(path, file)
        tensors = {name: tuple(file.get_slice(name).get_shape()) for name in _names(file)}
    return _renamed(tensors, header, version)


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the header and the tensors (float16 ones as float32) of the checkpoint at `path`.

    Both have today's names, whatever the file's format. Raise MusicaeError for a file that is missing, cut short,
    or of a newer format.
    """
    with _open(path) as file:
        header, version = _header(path, file)
        tensors = {name: file.get_tensor(name) for name in _names(file)}
    tensors = {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in tensors.items()}
    return header, _renamed(tensors, header, version)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MusicaeError(f"no checkpoint at {path}; check the path")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        raise MusicaeError(f"{path} is not a complete safetensors file ({error}); copy or train it again") from error


def _names(file: Any) -> list[str]:
    return list(file.keys())


def _header(path: Path, file: Any) -> tuple[dict[str, Any], int]:
    """Return the header with today's names, and the format of the file."""
    try:
        header = json.loads((file.metadata() or {})[_KEY])
        version = operator.index(header["format"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise MusicaeError(f"{path} is not a musicae checkpoint: its header is missing or damaged") from error
    if version > FORMAT:
        raise MusicaeError(f"{path} has format {version}, newer than this musicae's {FORMAT}; update musicae")
    if version < 2 and isinstance(header.get("preset"), dict):
        header["preset"] = upgrade.preset_tree(header["preset"])
    header["format"] = FORMAT
    return header, version


def _renamed(tensors: dict[str, _T], header: Mapping[str, Any], version: int) -> dict[str, _T]:
    preset = header.get("preset")
    if version >= 2 or not isinstance(preset, dict):
        return tensors
    return {upgrade.tensor_name(name, preset): value for name, value in tensors.items()}
