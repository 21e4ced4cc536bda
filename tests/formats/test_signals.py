"""Signals wait until a library's call is over."""

import os
import signal
import sys
import threading

import pytest

from musicae.formats.signals import defer_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_handled_at_the_end(number):
    seen = []
    before = signal.signal(number, lambda number, frame: seen.append(number))
    try:
        with defer_signals():
            os.kill(os.getpid(), number)
            os.getpid()  # A call, after which Python would have run the handler.
            assert seen == []
        assert seen == [number]
        with defer_signals():
            pass
        assert seen == [number]
    finally:
        signal.signal(number, before)


def test_other_threads_leave_signals_alone():
    failed = []

    def work():
        try:
            with defer_signals():
                pass
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failed
