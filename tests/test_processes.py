from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from musicae.errors import MusicaeError
from musicae.processes import holding_signals, ignore_sigint, ignoring_sigint, spread


def test_ctrl_c_is_ignored_for_a_moment_and_then_as_before():
    before = signal.getsignal(signal.SIGINT)
    with ignoring_sigint():
        signal.raise_signal(signal.SIGINT)  # Would be a KeyboardInterrupt.
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(ZeroDivisionError), ignoring_sigint():
        _ = 1 // 0
    assert signal.getsignal(signal.SIGINT) is before


def test_signals_are_put_off_until_the_end():
    done, before = [], signal.getsignal(signal.SIGINT)

    def interrupted() -> None:
        with holding_signals():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["all of it"]
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


CHILD = """
import multiprocessing, os, sys, time
from musicae.processes import end_with_parent

def work():
    end_with_parent()
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    end_with_parent()  # Nothing started this process by multiprocessing: it goes on.
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    process.join()
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc to look at")
def test_a_child_ends_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(CHILD)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline and not _ended(child):
            time.sleep(0.01)
        assert _ended(child)


def _ended(process):
    """Tell whether a process has ended; one that nobody has waited for has no command line."""
    try:
        return not Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return True


def test_work_is_spread_over_processes(tmp_path):
    ticks = []

    def work(number: int) -> None:
        (tmp_path / str(number)).write_text(f"{os.getpid()} {signal.getsignal(signal.SIGINT) == signal.SIG_DFL}")

    spread(work, 3, lambda: ticks.append(1), "it was killed")
    said = [(tmp_path / str(number)).read_text().split() for number in range(3)]
    assert len({pid for pid, _ in said} | {str(os.getpid())}) == 4
    assert {default for _, default in said} == {"True"}
    assert ticks


def test_the_first_failure_ends_all(tmp_path):
    def fail(number: int) -> None:
        if number == 1:
            raise MusicaeError("one is odd")
        time.sleep(60)

    def break_down(number: int) -> None:
        raise ZeroDivisionError(f"in {number}")

    def die(number: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL) if number else time.sleep(60)

    began = time.monotonic()
    with pytest.raises(MusicaeError, match=r"^one is odd$"):
        spread(fail, 2, lambda: None, "killed")
    with pytest.raises(MusicaeError, match=r"^it was killed; the same command goes on where it stopped$"):
        spread(die, 2, lambda: None, "it was killed")
    with pytest.raises(RuntimeError, match="ZeroDivisionError: in 0"):
        spread(break_down, 1, lambda: None, "killed")
    assert time.monotonic() - began < 10
    assert not multiprocessing.active_children()
