from __future__ import annotations

import signal
import threading

import pytest

from musicae.processes import ignore_sigint, ignoring_sigint


def test_ctrl_c_is_ignored_for_a_moment_and_then_as_before():
    before = signal.getsignal(signal.SIGINT)
    with ignoring_sigint():
        signal.raise_signal(signal.SIGINT)  # Would be a KeyboardInterrupt.
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(ZeroDivisionError), ignoring_sigint():
        _ = 1 // 0
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_the_handler_alone():
    seen = []

    def work() -> None:
        with ignoring_sigint():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)] != [signal.SIG_IGN]


def test_a_worker_ignores_ctrl_c_from_then_on():
    before = signal.getsignal(signal.SIGINT)
    try:
        ignore_sigint(3)  # A data loader gives the worker's number.
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
