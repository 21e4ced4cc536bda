"""Keep what C libraries and child processes print from the terminal."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["quiet"]

_redirection = threading.RLock()  # The two streams belong to the process: one thread at a time redirects them.


@contextmanager
def quiet() -> Iterator[None]:
    """Discard what a child process or a C library writes to stdout and stderr, in one thread at a time."""
    with _redirection:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        _flush_libc()
        null = os.open(os.devnull, os.O_WRONLY)
        saved = []
        try:
            for number in (1, 2):
                with suppress(OSError):  # A stream that is closed, or there is none.
                    saved.append((number, os.dup(number)))
                    os.dup2(null, number)
            yield
        finally:
            _flush_libc()  # Else it would write at the end of the process what it printed here.
            for number, copy in saved:
                os.dup2(copy, number)
                os.close(copy)
            os.close(null)


def _flush_libc() -> None:
    """Write out what C libraries printed that is still in memory, where that can be done."""
    with suppress(AttributeError, OSError, TypeError):  # Not on Windows.
        ctypes.CDLL(None).fflush(None)
