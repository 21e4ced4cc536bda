"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from musicae.errors import Line, MusicaeError, OutputError, line_of
from musicae.formats.temporary import temporary_file, temporary_folder

__all__ = ["atomic_folder", "atomic_write", "make_folder"]


def make_folder(path: Path) -> None:
    """Make the folder `path` and its parents if they are missing. Raise OutputError if it cannot be written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(path, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise OutputError(line_of(f"cannot write in {path}: {reason}", Line("; name another place with -o", "")))


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; when the block ends, that file replaces `path`.

    It is flushed to the disk before it is renamed. After an error in the block `path` is as before, with no file left
    next to it. `musicae.formats.files.output` also takes streams. Raise OutputError if the file cannot be written,
    MusicaeError if only its name is too long.
    """
    try:
        with temporary_file(path.parent) as temporary:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    except OSError as error:
        if not path.parent.is_dir():
            raise OutputError(f"there is no folder {path.parent}; make it first") from None
        # If one name is too long, other files can still be written; on a full disk they cannot.
        kind = MusicaeError if error.errno == errno.ENAMETOOLONG else OutputError
        raise kind(f"{path} cannot be written: {error.strerror or error}") from None


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder next to `path`; when the block ends it becomes `path`.

    Where `path` is a folder already, the new files replace those of their names in it. After an error in the block
    `path` is as before. Raise OutputError if the folder cannot be written.
    """
    make_folder(path.parent)
    try:
        with temporary_folder(path.parent) as temporary:
            place = temporary / "new"
            place.mkdir()
            yield place
            if not path.is_dir():
                place.rename(path)
                return
            for file in sorted(place.iterdir()):
                file.replace(path / file.name)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
