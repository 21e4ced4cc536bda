"""Child processes: Ctrl-C belongs to the process that the user started, and they end with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection
from typing import Any

from musicae.errors import MusicaeError

__all__ = ["end_with_parent", "holding_signals", "ignore_sigint", "ignoring_sigint", "spread"]

_TICK = 1.0  # Seconds.


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


@contextmanager
def holding_signals() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM to the end of what must not stay half done; outside the main thread do nothing."""
    if threading.current_thread() is not threading.main_thread():  # It alone gets them.
        yield
        return
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def spread(work: Callable[[int], None], count: int, tick: Callable[[], None], killed: str) -> None:
    """Call ``work(0)`` to ``work(count - 1)``, each in a process of its own, and `tick` every second meanwhile.

    All of them end with this one, however that ends, and as soon as one fails. Raise the MusicaeError of the first that
    failed, or, where one was killed, one that begins with `killed`.
    """
    # Forked ones start at once; elsewhere each loads everything anew.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    ears, processes = [], []
    try:
        for number in range(count):
            ear, mouth = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(work, number, mouth))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Of threads, which are not used there.
                process.start()
            mouth.close()
            ears.append(ear)
            processes.append(process)
        running = {process.sentinel: i for i, process in enumerate(processes)}
        while running:
            for ended in connection.wait(list(running), _TICK):
                number = running.pop(ended)
                processes[number].join()
                _check(ears[number], processes[number].exitcode, killed)
            tick()
    finally:
        for process in processes:
            process.kill()
        for process, ear in zip(processes, ears, strict=True):
            process.join()
            ear.close()


def _check(ear: Any, code: int | None, killed: str) -> None:
    """Raise what a process that has ended with `code` says of its failure."""
    with suppress(EOFError, OSError):
        if ear.poll():
            raise ear.recv()
    if code:
        raise MusicaeError(f"{killed}; the same command goes on where it stopped")


def _run(work: Callable[[int], None], number: int, mouth: Any) -> None:
    """Do the work of one of several processes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # It ends at once, in silence.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    try:
        work(number)
    except MusicaeError as error:
        mouth.send(error)
    except Exception:
        mouth.send(RuntimeError(f"a process failed:\n{traceback.format_exc()}"))
