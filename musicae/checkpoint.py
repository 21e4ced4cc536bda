"""A checkpoint: one safetensors file, tensors and a JSON header, written completely or not at all.

The header holds the format's version, the resolved preset, the step and the package's version.
Nothing in the file is ever run: names are looked up in the registry, tensors loaded strictly.
Files of format 1 are read under today's names (see `musicae.upgrade`); from format 3 on, matrices may be stored in
8 bits (see `musicae.tensors.quantize`): the header's ``int8`` lists their names, and ``NAME.scale`` is the tensor with
a scale for each row of ``NAME``.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from musicae import upgrade
from musicae.errors import MusicaeError
from musicae.formats.atomic import atomic_write, make_folder
from musicae.tensors.quantize import dequantize, quantizable, quantize

__all__ = ["FORMAT", "WEIGHTS", "digest", "fits", "matching", "read", "read_header", "shapes", "write"]

FORMAT = 3
_PLAIN_FORMAT = 2  # Written where nothing is in 8 bits, so that older versions read it too.
WEIGHTS = ("float32", "float16", "int8")
"""How the tensors of a checkpoint can be stored."""

_KEY = "musicae"
_SCALE = ".scale"
_MAX_SCALE = torch.finfo(torch.float32).max / 128
_T = TypeVar("_T")


def write(
    path: Path,
    tensors: Mapping[str, Tensor],
    header: Mapping[str, Any],
    weights: str = "float32",
    keep: Sequence[str] = (),
) -> None:
    """Write `tensors` and the JSON-able `header` to `path`.

    `weights` is how tensors are stored: ``"float32"``, each as it is; ``"float16"``, floating-point ones in half
    precision where their values fit its range; ``"int8"``, matrices and kernels in 8 bits with a scale for each row,
    except those whose name matches one of the patterns `keep`, and the rest as for ``"float16"``.
    The file appears under its name only when it is complete and on disk (fsync, rename).

    The version of this package goes into the header, unless there is one. Raise MusicaeError for another word,
    or a pattern that matches no name.
    """
    from safetensors.torch import save

    if weights not in WEIGHTS:
        raise MusicaeError(f"weights must be {', '.join(WEIGHTS[:-1])} or {WEIGHTS[-1]}, not '{weights}'")
    small = _matrices(tensors, keep) if weights == "int8" else []
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in small:
            stored[name], stored[name + _SCALE] = quantize(tensor)
        else:
            stored[name] = (tensor if weights == "float32" else _half(tensor)).detach().cpu().contiguous()
    seen: set[int] = set()
    for name, tensor in stored.items():  # Safetensors stores no shared memory: of tied weights each gets a copy.
        address = tensor.untyped_storage().data_ptr()
        stored[name] = tensor.clone() if address in seen else tensor
        seen.add(address)
    first = {"format": FORMAT, "int8": small} if small else {"format": _PLAIN_FORMAT}
    text = json.dumps({"version": _version(), **header, **first})
    make_folder(path.parent)
    with atomic_write(path) as temporary:
        temporary.write_bytes(save(stored, {_KEY: text}))


def _matrices(tensors: Mapping[str, Tensor], keep: Sequence[str]) -> list[str]:
    """Return the names of the tensors to store in 8 bits: all that are worth it but those that match `keep`."""
    kept = {name for pattern in keep for name in matching(tensors, pattern)}
    return [name for name, tensor in tensors.items() if quantizable(tensor) and name not in kept]


def matching(names: Collection[str], pattern: str) -> list[str]:
    """Return which of the names of tensors match a pattern. Raise MusicaeError where none does."""
    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        known = f"they are called {', '.join(names):.200} ..." if names else "there are none"
        raise MusicaeError(f"no tensor's name matches '{pattern}'; {known}")
    return found


def _half(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    largest = tensor.abs().max().item() if tensor.numel() else 0.0
    return tensor.half() if largest < torch.finfo(torch.float16).max else tensor


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("musicae")
    except metadata.PackageNotFoundError:
        return "0"


def read_header(path: Path) -> dict[str, Any]:
    """Return the header of the checkpoint at `path`, with today's names, without reading its tensors."""
    with _open(path) as file:
        return _header(path, file)[0]


def digest(path: Path) -> str:
    """Return the SHA-256 of a checkpoint's bytes, hexadecimal, by which a stack knows what it was trained over."""
    try:
        if not path.is_file():
            raise MusicaeError(f"no checkpoint at {path}; check the path")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MusicaeError(f"{path} cannot be read: {error.strerror or error}") from None


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors in the checkpoint at `path` by today's names, without loading them."""
    with _open(path) as file:
        header, version, small = _header(path, file)
        scales = {name + _SCALE for name in small}
        tensors = {name: tuple(file.get_slice(name).get_shape()) for name in _names(file) if name not in scales}
    return _renamed(tensors, header, version)


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the header and the tensors (of 8 and 16 bits as float32) of the checkpoint at `path`.

    Both have today's names, whatever the file's format. Raise MusicaeError for a file that is missing, cut short,
    or of a newer format.
    """
    with _open(path) as file:
        header, version, small = _header(path, file)
        tensors = {name: file.get_tensor(name) for name in _names(file)}
    for name in small:
        scales = tensors.pop(name + _SCALE)
        if not ((scales > 0) & (scales < _MAX_SCALE)).all():
            raise MusicaeError(
                f"{path} is damaged: the scales of {name:.60} are not positive numbers; copy or train it again"
            )
        tensors[name] = dequantize(tensors[name], scales)
    tensors = {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in tensors.items()}
    return header, _renamed(tensors, header, version)


def fits(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> bool:
    """Tell whether `tensors` have the names and shapes of a network's `own`, and are real numbers where those are."""

    def kinds(those: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, bool]]:
        return {name: (tensor.shape, tensor.is_floating_point()) for name, tensor in those.items()}

    return kinds(tensors) == kinds(own)


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


def _header(path: Path, file: Any) -> tuple[dict[str, Any], int, list[str]]:
    """Return the header with today's names, the format of the file, and the names of its matrices of 8 bits."""
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
    return header, version, _checked(path, file, header.pop("int8", []))


def _checked(path: Path, file: Any, small: Any) -> list[str]:
    """Return `small`, the names of matrices of 8 bits, if each is in the file and has as many scales as rows."""
    names = set(_names(file))
    if not isinstance(small, list) or not all(isinstance(name, str) for name in small) or len(set(small)) < len(small):
        raise MusicaeError(f"{path} is damaged: its header does not list its 8-bit tensors; copy or train it again")
    for name in small:
        if not {name, name + _SCALE} <= names or not _fit(file.get_slice(name), file.get_slice(name + _SCALE)):
            raise MusicaeError(
                f"{path} is damaged: {name:.60} is not 8 bits with a scale a row; copy or train it again"
            )
    return small


def _fit(integers: Any, scales: Any) -> bool:
    shape = integers.get_shape()
    kinds = (integers.get_dtype(), scales.get_dtype())
    return kinds == ("I8", "F32") and len(shape) > 1 and scales.get_shape() == shape[:1]


def _renamed(tensors: dict[str, _T], header: Mapping[str, Any], version: int) -> dict[str, _T]:
    preset = header.get("preset")
    if version >= 2 or not isinstance(preset, dict):
        return tensors
    return {upgrade.tensor_name(name, preset): value for name, value in tensors.items()}
