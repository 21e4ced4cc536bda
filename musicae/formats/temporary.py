"""Temporary files and folders that do not outlast a process that is killed: the next one removes them.

Each is locked (flock) by the process that writes it, so it can be told whether that is still alive. File systems that
several machines (or containers) share need not tell them of each other's locks: what another one left is removed only
after a week. Where the system has no such locks (Windows), nothing is removed.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from musicae.errors import MusicaeError

try:
    import fcntl
except ImportError:  # Windows.
    fcntl = None  # type: ignore[assignment]

__all__ = ["PREFIX", "locked", "sweep", "temporary_file", "temporary_folder"]

PREFIX = ".musicae-"
"""How the names of all temporary files and folders begin."""

_STARTED = time.time()
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_OLD = 7 * 86400.0  # Seconds after which what another machine left counts as left by a killed process.
_MAX_SWEPT = 100_000  # Entries of a folder that are looked at.


@contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """Yield an empty file in `folder`, which is removed at the end if it is still there. Raise OSError."""
    sweep(folder)
    path = folder / f"{PREFIX}{_HOST}-{uuid.uuid4().hex[:16]}"  # Short, whatever the name of what it becomes.
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        _lock(opened)
        if fcntl is None:  # An open file cannot be renamed there.
            os.close(opened)
        yield path
    finally:
        with suppress(OSError):
            path.unlink()
        if fcntl is not None:
            os.close(opened)


@contextmanager
def temporary_folder(folder: Path | None = None) -> Iterator[Path]:
    """Yield a new folder in `folder`, by default the system's for temporary files; it is removed at the end.

    Raise OSError if it cannot be made.
    """
    parent = folder or Path(tempfile.gettempdir())
    sweep(parent)
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{_HOST}-", dir=parent))
    opened = -1
    try:
        if fcntl is not None:
            opened = os.open(path, os.O_RDONLY)
            _lock(opened)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if opened >= 0:
            os.close(opened)


@contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Keep other processes that call this from `folder` meanwhile.

    Raise MusicaeError, which says that `what` (``"a training"``) is running there, if another has it. Where the file
    system has no locks, nothing is kept.
    """
    if fcntl is None:
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        if not _lock(opened):
            raise MusicaeError(f"{what} is running in {folder}; wait for it, or name another folder with -o")
        yield
    finally:
        os.close(opened)


@cache
def sweep(folder: Path) -> None:
    """Remove from `folder` what killed processes left there before this one started; once for each folder."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for _, entry in zip(range(_MAX_SWEPT), entries, strict=False):
            if not entry.name.startswith(PREFIX):
                continue
            with suppress(OSError):
                own = entry.stat(follow_symlinks=False)
                before = _STARTED if entry.name.startswith(f"{PREFIX}{_HOST}-") else time.time() - _OLD
                if own.st_mtime < before and not entry.is_symlink() and own.st_uid == os.getuid():
                    _remove_if_unlocked(Path(entry.path))


def _remove_if_unlocked(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if not _lock(opened):
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(opened)


def _lock(opened: int) -> bool:
    """Lock an open file or folder until it is closed; return whether nobody else has locked it.

    A file system without locks counts as not locked by others for a file that is new, see `locked`.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
