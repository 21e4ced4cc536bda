"""What has been prepared once is kept, keyed by the content it came from and the settings it was made with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from ..core import Windows
from ..errors import MusicaeError
from ..whole import whole

__all__ = ["cached", "data_folder", "fingerprint", "own_folder"]

_VERSION = 1  # Raise it when what is prepared from the same files changes.


def data_folder() -> Path:
    """Return the user's folder for data sets: ``$MUSICAE_DATA``, or the platform's own."""
    import platformdirs

    named = os.environ.get("MUSICAE_DATA")
    return Path(named) if named else Path(platformdirs.user_data_dir("musicae", appauthor=False))


def own_folder(folder: Path | None, name: str, what: str) -> Path:
    """Return `folder`, or if it is None the one of that name in `data_folder`. Raise MusicaeError where there is none.

    `what` is what is to be in it.
    """
    if folder is None:
        folder = data_folder() / name
        if not folder.is_dir():
            raise MusicaeError(f"the data set '{name}' needs a folder of {what}; name it with --data DIR")
    elif not folder.is_dir():
        raise MusicaeError(f"no folder {folder}; check the path given with --data")
    return folder


def fingerprint(files: Iterable[Path], root: Path, **settings: Any) -> str:
    """Return a key that changes with any file's name, size or time, and with any setting."""
    digest = hashlib.sha256(json.dumps([_VERSION, settings], sort_keys=True, default=repr).encode())
    for path in files:
        stat = path.stat()
        digest.update(f"{path.relative_to(root)}:{stat.st_size}:{stat.st_mtime_ns}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()[:32]


def cached(key: str, make: Callable[[], Windows]) -> Windows:
    """Return the windows kept under `key`, or make and keep them. A damaged or unwritable cache is passed over."""
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save

    folder = _cache_folder()
    path = folder / f"{key}.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["windows"])
            data, pieces = file.get_tensor("data"), file.get_tensor("pieces")
            labels = file.get_tensor("labels") if "labels" in file.keys() else None  # noqa: SIM118
            return Windows(data, pieces, header["channels"], header["names"], labels, header.get("levels", 0))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        made = make()
    header = json.dumps({"channels": made.channels, "names": made.names, "levels": made.levels})
    with contextlib.suppress(OSError, MusicaeError):
        folder.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            tensors = {"data": made.data.contiguous(), "pieces": made.pieces.to(torch.int32).contiguous()}
            if made.labels is not None:
                tensors["labels"] = made.labels.contiguous()
            temporary.write_bytes(save(tensors, {"windows": header}))
    return made


def _cache_folder() -> Path:
    import platformdirs

    named = os.environ.get("MUSICAE_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("musicae", appauthor=False))
