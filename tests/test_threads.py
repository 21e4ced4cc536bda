"""How many threads a piece of work gets, and how idle ones wait."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from musicae import threads
from musicae.threads import MIN_PARALLEL, suited


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of four cores on which nobody has said how many threads to use."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "cores", lambda: 4)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def test_small_work_gets_one_thread_and_large_work_all() -> None:
    with suited(MIN_PARALLEL - 1):
        assert torch.get_num_threads() == 1
        with suited(10 * MIN_PARALLEL):  # What is around it has decided already.
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 4
    with suited(MIN_PARALLEL):
        assert torch.get_num_threads() == 4


def test_the_number_comes_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="wrong"), suited(0):
        raise ValueError("wrong")
    assert torch.get_num_threads() == 4


def test_the_users_number_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(3)  # Neither all cores nor the physical ones: torch would not have chosen it.
    with suited(0):
        assert torch.get_num_threads() == 3
    torch.set_num_threads(4)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    with suited(0):
        assert torch.get_num_threads() == 4


def test_the_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 1 <= threads.cores() <= (os.cpu_count() or 1)
    if sys.platform == "linux":
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5, 7})
        assert threads.cores() == 3


def test_importing_the_package_makes_idle_threads_sleep_unless_the_user_says_otherwise() -> None:
    code = "import os, sys, musicae; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    clean = {name: value for name, value in os.environ.items() if name not in threads.PASSIVE}
    for given, wanted in (({}, "PASSIVE False"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE False")):
        done = subprocess.run([sys.executable, "-c", code], env={**clean, **given}, capture_output=True, text=True)
        assert done.stdout.strip() == wanted


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere neither is known")
def test_processes_get_the_cores_that_are_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda who: {0, 10**6, 10**6 + 1})  # Two of unknown siblings.
    assert threads.spare_cores() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert threads.spare_cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1,2")
    monkeypatch.setattr(threads, "_quota", lambda: 1.5)
    assert threads.spare_cores() == 1
    monkeypatch.setattr(threads, "_quota", lambda: 0.5)
    assert threads.spare_cores() == 1


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, math.inf),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ({"cpu.max": "damaged"}, math.inf),
        ({}, math.inf),
    ],
)
def test_a_containers_share_of_the_machine(files: dict[str, str], quota: float, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert threads._quota(tmp_path) == quota


def test_threads_are_free_unless_the_user_chose_their_number(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert threads.free() == 8
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert threads.free() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert threads.free() == 1
