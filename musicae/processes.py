"""Ctrl-C belongs to the process that the user started; the processes that it starts leave it alone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ignore_sigint", "ignoring_sigint"]


def ignore_sigint(*_: object) -> None:
    """Ignore Ctrl-C from now on; for a process's main thread, as what a pool or a data loader runs first.

    A terminal sends the signal to every process of the command; the one that started the others ends them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def ignoring_sigint() -> Iterator[None]:
    """Ignore Ctrl-C for a moment, so that processes started meanwhile inherit that; in another thread do nothing."""
    if threading.current_thread() is not threading.main_thread():  # Only the main thread may set a handler.
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
