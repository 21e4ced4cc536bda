"""Threads that work for requests."""

from __future__ import annotations

import asyncio
import threading

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.web.workers import Workers


def test_work_is_done_in_a_thread_with_one_thread_of_torch() -> None:
    def work() -> tuple[str, int, bool]:
        return threading.current_thread().name, torch.get_num_threads(), threading.current_thread().daemon

    assert asyncio.run(Workers(1, name="test").do(work)) == ("test-0", 1, True)


def test_an_error_is_that_of_who_asked() -> None:
    workers = Workers(1)
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result(5)
    assert workers.submit(lambda: 3).result(5) == 3


def test_what_is_cancelled_before_it_begins_is_not_done() -> None:
    workers, go, done = Workers(1), threading.Event(), []
    first = workers.submit(lambda: go.wait(10))
    second, third = (workers.submit(lambda i=i: done.append(i)) for i in (2, 3))
    assert second.cancel()
    go.set()
    assert first.result(5)
    third.result(5)
    assert done == [3]


def test_too_many_who_wait_are_refused() -> None:
    workers, go = Workers(1, waiting=1), threading.Event()
    started = threading.Event()
    first = workers.submit(lambda: started.set() or go.wait(10))
    started.wait(10)
    second = workers.submit(lambda: 2)
    with pytest.raises(MusicaeError, match="busy"):
        workers.submit(lambda: 3)
    go.set()
    assert first.result(5)
    assert second.result(5) == 2
