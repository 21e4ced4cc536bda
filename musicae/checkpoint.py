"""A checkpoint: one safetensors file, tensors and a JSON header, written whole or not at all.

The header holds the format's version, the resolved preset, the step and the package's version.
Nothing in the file is ever run: names are looked up in the registry, tensors loaded strictly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import MusicaeError
from .whole import make_folder, whole

__all__ = ["FORMAT", "read", "read_header", "write"]

FORMAT = 1
_KEY = "musicae"


def write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any], half: bool = False) -> None:
    """Write `tensors` and the JSON-able `header` to `path`.

    `half` stores floating-point tensors as float16 where their values fit its range.
    The file appears under its name only when it is complete and on disk (fsync, rename).
    """
    from safetensors.torch import save

    stored = {name: (_half(tensor) if half else tensor).detach().cpu().contiguous() for name, tensor in tensors.items()}
    known: set[int] = set()
    for name, tensor in stored.items():  # What two share, such as tied weights, is stored for each.
        place = tensor.untyped_storage().data_ptr()
        stored[name] = tensor.clone() if place in known else tensor
        known.add(place)
    text = json.dumps({"format": FORMAT, **header})
    make_folder(path.parent)
    with whole(path) as temporary:
        temporary.write_bytes(save(stored, {_KEY: text}))


def _half(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    largest = tensor.abs().max().item() if tensor.numel() else 0.0
    return tensor.half() if largest < torch.finfo(torch.float16).max else tensor


def read_header(path: Path) -> dict[str, Any]:
    """Return the header of the checkpoint at `path` without its tensors."""
    return _open(path)[0]


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the header and the tensors (float16 ones as float32) of the checkpoint at `path`."""
    header, raw = _open(path, tensors=True)
    return header, {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in raw.items()}


def _open(path: Path, tensors: bool = False) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MusicaeError(f"no checkpoint at {path}; check the path")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            found = {name: file.get_tensor(name) for name in file.keys()} if tensors else {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise MusicaeError(f"{path} is not a whole safetensors file ({error}); copy or train it again") from error
    try:
        header = json.loads(metadata[_KEY])
        version = header["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise MusicaeError(f"{path} is not a musicae checkpoint: its header is missing or damaged") from error
    if not isinstance(version, int) or version > FORMAT:
        raise MusicaeError(f"{path} has format {version}, newer than this musicae's {FORMAT}; update musicae")
    return header, found
