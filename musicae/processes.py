"""Child processes: Ctrl-C belongs to the process that the user started, and they end with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["end_with_parent", "ignore_sigint", "ignoring_sigint"]


def ignore_sigint(*_: object) -> None:
    """Ignore Ctrl-C from now on. Call it in a process's main thread, as the initialiser of a pool or a data loader.

    A terminal sends the signal to every process of the command; the parent ends its children.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def end_with_parent() -> None:
    """End this process, one of `multiprocessing`, as soon as the one that started it has ended, however that was."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


@contextmanager
def ignoring_sigint() -> Iterator[None]:
    """Ignore Ctrl-C meanwhile, so that processes started now inherit that; outside the main thread do nothing."""
    if threading.current_thread() is not threading.main_thread():  # Only the main thread may set a handler.
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
