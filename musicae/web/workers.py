"""A few threads that work for many requests: first come, first served, and nothing for those who have left."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from musicae.errors import MusicaeError

__all__ = ["Workers"]

T = TypeVar("T")

_Job = tuple[Future[Any], Callable[[], Any]]


class Workers:
    """`count` threads, each of which computes with one thread of torch; at most `waiting` pieces of work wait.

    The threads are daemons: they do not keep a process alive that is to end.
    """

    def __init__(self, count: int, waiting: int = 100, name: str = "worker") -> None:
        self._queue: queue.Queue[_Job] = queue.Queue(waiting)
        for number in range(count):
            threading.Thread(target=self._work, daemon=True, name=f"{name}-{number}").start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Let a thread do the work; cancelled before it begins, it is not done. Raise MusicaeError if too many wait."""
        future: Future[T] = Future()
        try:
            self._queue.put_nowait((future, work))
        except queue.Full:
            raise MusicaeError("the server is busy; wait a moment and try again") from None
        return future

    async def do(self, work: Callable[[], T]) -> T:
        """Return what the work gives, from the event loop; whoever cancels this before it begins spares it."""
        return await asyncio.wrap_future(self.submit(work))

    def _work(self) -> None:
        import torch

        torch.set_num_threads(1)
        while True:
            future, work = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
            del future, work
