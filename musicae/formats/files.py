"""Paths and binary streams: checked before reading, written all at once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from musicae.core import File
from musicae.errors import MusicaeError, OutputError
from musicae.formats.atomic import atomic_write

__all__ = ["check_input", "name_of", "output", "suffix_of"]


def name_of(file: File) -> str:
    """Return the name of a file in messages."""
    return str(file) if isinstance(file, Path) else "the stream"


def suffix_of(file: File) -> str:
    """Return the suffix of a path, lower case with its dot; an empty string for a stream."""
    return file.suffix.lower() if isinstance(file, Path) else ""


def check_input(file: File, what: str) -> int:
    """Return the size of a file in bytes, and rewind a stream.

    Raise MusicaeError, one line, unless it exists, can be opened and is not empty.
    `what` says what it should be (``"a picture"``).
    """
    try:
        if isinstance(file, Path):
            if file.is_dir():
                raise MusicaeError(f"{file} is a folder; name {what} in it")
            if file.exists() and not file.is_file():
                raise MusicaeError(f"{file} is a pipe or a device; name a file")
            size = file.stat().st_size
            if size:
                file.open("rb").close()
        else:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
    except FileNotFoundError:
        raise MusicaeError(f"there is no file {file}; check the name") from None
    except io.UnsupportedOperation:
        raise MusicaeError("the stream cannot seek; read it into an io.BytesIO first") from None
    except OSError as error:
        raise MusicaeError(f"{name_of(file)} cannot be read: {error.strerror or error}") from None
    if not size:
        raise MusicaeError(f"{name_of(file)} is empty (0 bytes); give {what}")
    return size


@contextmanager
def output(file: File, buffering: int = -1) -> Iterator[BinaryIO]:
    """Yield a seekable binary file to write to; when the block ends without an error, all of it goes to `file`.

    A path is written atomically, a stream at once from memory. Raise OutputError if it cannot be written.
    """
    if isinstance(file, Path):
        with atomic_write(file) as temporary, temporary.open("wb+", buffering=buffering) as opened:
            yield opened
        return
    buffer = io.BytesIO()
    yield buffer
    try:
        file.write(buffer.getbuffer())
        file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the stream cannot be written: {error.strerror or error}") from None
