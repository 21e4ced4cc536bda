"""The files that people gave, in a folder of their own that is removed at the end; the oldest go first."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from musicae.errors import MusicaeError

__all__ = ["Cache", "MissingError", "Store", "Stored", "safe_name"]

V = TypeVar("V")

_MAX_NAME = 80
_UNSAFE = re.compile(r"[^\w .,()+=@-]+")


class MissingError(MusicaeError):
    """A file that is not, or no longer, there."""


def safe_name(name: str) -> str:
    """Return a file's name as it may be used here: no folders, no odd characters, not hidden, not too long."""
    name = _UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        return name[:_MAX_NAME] or "file"
    return f"{stem[:_MAX_NAME]}{dot}{suffix[:12]}"


class Cache(Generic[V]):
    """Values by their keys, as many as fit in `limit` bytes; those that were not used for longest go first."""

    def __init__(self, limit: int, dropped: Callable[[V], None] = lambda value: None) -> None:
        self.limit, self.size, self._dropped = limit, 0, dropped
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}

    def made(self, key: Hashable, make: Callable[[], V], size: Callable[[V], int]) -> V:
        """Return a value, made now if it is not there; whoever asks for it meanwhile waits for it."""
        if (found := self.get(key)) is not None:
            return found
        with self._lock:
            lock = self._making.setdefault(key, threading.Lock())
        try:
            with lock:
                if (found := self.get(key)) is None:
                    found = make()
                    self.put(key, found, size(found))
                return found
        finally:
            with self._lock:
                self._making.pop(key, None)

    def get(self, key: Hashable) -> V | None:
        """Return a value, which now counts as used; None where there is none."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: V, size: int) -> None:
        """Keep a value of `size` bytes; a single one is kept however large it is."""
        with self._lock:
            if key in self._values:
                self.size -= self._values.pop(key)[1]
            self._values[key] = (value, size)
            self.size += size
            while self.size > self.limit and len(self._values) > 1:
                _, (old, its) = self._values.popitem(last=False)
                self.size -= its
                self._dropped(old)


class Stored(NamedTuple):
    """A file that somebody gave, and how it is to be read, as options of the adapter."""

    path: Path
    options: Mapping[str, Any]


class Store:
    """Files in `folder`, each by a digest of its bytes, its name and its options, `limit` bytes of them."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._files: Cache[Stored] = Cache(limit, dropped=lambda one: shutil.rmtree(one.path.parent, True))

    def add(self, data: bytes, name: str, options: Mapping[str, Any] | None = None) -> str:
        """Keep a file and return its id. Raise MusicaeError for an empty one."""
        name = safe_name(name)
        if not data:
            raise MusicaeError(f"{name} is empty (0 bytes); give another file")
        options = {key: value for key, value in (options or {}).items() if value is not None}
        about = f"{name}\n{sorted(options.items())}\n".encode()
        key = hashlib.sha256(about + data).hexdigest()[:32]
        if self._files.get(key) is None:
            path = self.folder / key / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            self._files.put(key, Stored(path, options), len(data))
        return key

    def find(self, key: str) -> Stored:
        """Return the file of an id. Raise MissingError for one that is not (or no longer) there."""
        found = self._files.get(key)
        if found is None:
            raise MissingError("this file is not on the server (any more); drop it on the page again")
        return found

    def without_folder(self, message: str, typed: Path | None = None) -> str:
        """Return a message in which files have their names, not their places here; `typed` is where one came from."""
        place = rf"{re.escape(str(self.folder))}[/\\][0-9a-f]+[/\\]"
        if typed is not None:
            message = re.sub(place + re.escape(safe_name(typed.name)), lambda _: str(typed), message)
        return re.sub(place, "", message)
