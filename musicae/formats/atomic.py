"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from musicae.errors import MusicaeError, OutputError

__all__ = ["atomic_write", "make_folder"]


def make_folder(path: Path) -> None:
    """Make the folder `path` and its parents if need be. Raise OutputError where nothing can be written in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(path, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise OutputError(f"cannot write in {path}: {reason}; name another place with -o")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends, what was written there replaces `path`.

    It is flushed to the disk before it is renamed. An error in the block leaves `path` as it was and nothing beside it.
    For a stream as well as a path see `musicae.formats.files.output`.
    Raise OutputError where the file cannot be written, MusicaeError where only its name is too long.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex[:16]}.tmp")  # Short: `path` may be as long as a name can be.
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if not path.parent.is_dir():
            raise OutputError(f"there is no folder {path.parent}; make it first") from None
        # With a name that is too long other files can still be written; with a full disk they cannot.
        kind = MusicaeError if error.errno == errno.ENAMETOOLONG else OutputError
        raise kind(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()
