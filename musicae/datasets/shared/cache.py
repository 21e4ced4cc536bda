"""The user's folders for data, and the keys of what is prepared from them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from musicae.core import Adapter
from musicae.errors import MusicaeError
from musicae.folders import cache_folder, data_folder

__all__ = ["cache_folder", "data_folder", "fingerprint", "own_folder", "size_of"]

_VERSION = 5  # Raise it when the same files and settings give other windows.


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


def fingerprint(files: Iterable[Path | str], root: Path, **settings: Any) -> str:
    """Return a key that changes with any file's name, size or time, and with any setting.

    An adapter among the settings counts with its class, its spec and its public attributes.
    """
    start = f"{root}{os.sep}"
    digest = hashlib.sha256(json.dumps([_VERSION, settings], sort_keys=True, default=_describe).encode())
    for path in files:
        try:
            stat = os.stat(path)  # noqa: PTH116, since making a hundred thousand paths takes a second.
            state = f"{stat.st_size}:{stat.st_mtime_ns}"
        except OSError:  # It may have been deleted meanwhile; reading it says so.
            state = "gone"
        digest.update(f"{str(path).removeprefix(start)}:{state}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()[:32]


def _describe(value: Any) -> Any:
    if isinstance(value, Adapter):
        public = {name: setting for name, setting in vars(value).items() if not name.startswith("_")}
        return {"kind": type(value).__qualname__, "spec": repr(value.spec), **public}
    return repr(value)


def size_of(path: Path) -> int:
    """Return the size of a file in bytes; -1 for one that has been deleted meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return -1
