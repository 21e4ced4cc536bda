"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import MusicaeError, OutputError

__all__ = ["make_folder", "whole"]


def make_folder(path: Path) -> None:
    """Make the folder `path` and those over it, if need be. Raise OutputError where it cannot be, or not written in."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(path, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise OutputError(f"cannot write in {path}: {reason}; name another place with -o")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends, what it wrote there takes the place of `path`.

    It is on disk by then (fsync, rename). An error in the block leaves `path` as it was and nothing beside it.
    Raise OutputError where the file cannot be written, MusicaeError where it is its name that is too long.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex[:16]}.tmp")  # No longer than a name may be.
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if not path.parent.is_dir():
            raise OutputError(f"there is no folder {path.parent}; make it first") from None
        # A name that is too long is the fault of this one file alone.
        kind = MusicaeError if error.errno == errno.ENAMETOOLONG else OutputError
        raise kind(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()
