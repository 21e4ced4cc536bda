"""Prepared data sets on disk, keyed by the source files and the settings."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from musicae.core import Adapter, Windows
from musicae.errors import MusicaeError
from musicae.formats.atomic import atomic_write

__all__ = ["cache_folder", "cached", "data_folder", "fingerprint", "own_folder"]

_VERSION = 2  # Raise it when the same files and settings give other windows.


def data_folder() -> Path:
    """Return the user's folder for data sets: ``$MUSICAE_DATA``, or the platform's own."""
    import platformdirs

    named = os.environ.get("MUSICAE_DATA")
    return Path(named) if named else Path(platformdirs.user_data_dir("musicae", appauthor=False))


def own_folder(folder: Path | None, name: str, what: str) -> Path:
    """Return `folder`, or if it is None the one named `name` in `data_folder`.

    Raise MusicaeError, which asks for a folder of `what`, if it does not exist.
    """
    if folder is None:
        folder = data_folder() / name
        if not folder.is_dir():
            raise MusicaeError(f"the data set '{name}' needs a folder of {what}; name it with --data DIR")
    elif not folder.is_dir():
        raise MusicaeError(f"no folder {folder}; check the path given with --data")
    return folder


def fingerprint(files: Iterable[Path], root: Path, **settings: Any) -> str:
    """Return a key that changes with any file's name, size or time, and with any setting.

    An adapter among the settings counts with its class, its spec and its public attributes.
    """
    digest = hashlib.sha256(json.dumps([_VERSION, settings], sort_keys=True, default=_describe).encode())
    for path in files:
        try:
            stat = path.stat()
            state = f"{stat.st_size}:{stat.st_mtime_ns}"
        except OSError:  # It may have been deleted meanwhile; reading it says so.
            state = "gone"
        digest.update(f"{path.relative_to(root)}:{state}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()[:32]


def _describe(value: Any) -> Any:
    if isinstance(value, Adapter):
        public = {name: setting for name, setting in vars(value).items() if not name.startswith("_")}
        return {"kind": type(value).__qualname__, "spec": repr(value.spec), **public}
    return repr(value)


def cached(key: str, make: Callable[[], Windows]) -> Windows:
    """Return the windows stored under `key`, or call `make` and store them. A broken cache is ignored."""
    path = cache_folder() / f"{key}.safetensors"
    if (stored := _load(path)) is not None and len(stored):  # Why there are none is said again.
        return stored
    windows = make()
    with contextlib.suppress(OSError, MusicaeError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _save(windows, path)
    return windows


def _load(path: Path) -> Windows | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["windows"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Windows(
            tensors["data"],
            tensors["pieces"],
            header["channels"],
            header["names"],
            tensors.get("labels"),
            header["levels"],
            tensors.get("cond"),
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError):
        return None


def _save(windows: Windows, path: Path) -> None:
    from safetensors.torch import save

    tensors = {"data": windows.data, "pieces": windows.pieces.to(torch.int32)}
    if windows.labels is not None:
        tensors["labels"] = windows.labels
    if windows.cond is not None:
        tensors["cond"] = windows.cond
    header = {"channels": windows.channels, "names": windows.names, "levels": windows.levels}
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"windows": json.dumps(header)})
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def cache_folder() -> Path:
    """Return the user's folder for caches: ``$MUSICAE_CACHE``, or the platform's own."""
    import platformdirs

    named = os.environ.get("MUSICAE_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("musicae", appauthor=False))
