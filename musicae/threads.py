"""How many threads to use for a piece of work, and how idle ones wait.

A small network does thousands of small steps. Several threads gain nothing there, and when the cores are busy with
something else they wait for each other ten times as long as they work.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["MIN_PARALLEL", "PASSIVE", "cores", "free", "spare_cores", "suited", "wait_passively"]

MIN_PARALLEL = 3e11
"""Work (see `suited`) below which one thread is as fast: one core needs some tens of milliseconds for it."""

PASSIVE = {
    "OMP_WAIT_POLICY": "PASSIVE",  # Any OpenMP (OpenMP 5.2, section 21.1.3),
    "GOMP_SPINCOUNT": "0",  # that of GCC,
    "KMP_BLOCKTIME": "0",  # and that of LLVM and Intel.
}
"""What makes idle threads sleep, in the environment of a process that has not loaded torch yet."""


def wait_passively() -> None:
    """Let OpenMP threads sleep while they wait for work, not spin; variables that are set already stay.

    It must run before torch is loaded, which reads these variables once.
    """
    for name, value in PASSIVE.items():
        os.environ.setdefault(name, value)


@contextmanager
def suited(work: float) -> Iterator[None]:
    """Let torch use one thread if `work` is too small for several; afterwards as many as before.

    `work` is the numbers in a batch times the weights of the network: not a count of operations, but it ranks networks
    of all kinds well enough. A number of threads that the user has set, by OMP_NUM_THREADS, MKL_NUM_THREADS
    or `torch.set_num_threads`, stays.
    """
    import torch

    before = torch.get_num_threads()
    if work >= MIN_PARALLEL or before == 1 or _chosen(before):
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def free() -> int:
    """Return how many threads may do small work side by side: 1 where the user chose how many torch takes."""
    import torch

    number = torch.get_num_threads()
    return 1 if _chosen(number) else number


def _chosen(number: int) -> bool:
    """Tell whether the user chose the number of threads: torch's own is that of all cores, or of the physical ones."""
    if "OMP_NUM_THREADS" in os.environ or "MKL_NUM_THREADS" in os.environ:
        return True
    return number not in (cores(), cores() // 2)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def spare_cores() -> int:
    """Return how many processes of one thread may compute at a time: as many as there are cores for them.

    Two hardware threads of a core count as one, and a container's share of the machine is respected (Linux). Where the
    user has set how many threads each process takes, there are that many fewer.
    """
    count = float(cores())
    if sys.platform == "linux":
        siblings = set()
        for cpu in os.sched_getaffinity(0):
            path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
            try:
                siblings.add(path.read_text())
            except OSError:
                siblings.add(str(cpu))
        count = min(len(siblings), _quota())
    threads = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(count) // max(1, int(threads) if threads.isdecimal() else 1))


def _quota(folder: Path = Path("/sys/fs/cgroup")) -> float:
    """Return how many cores' time a container may use, from control groups of version 2 or 1; infinity if any."""
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period) if quota != "max" else math.inf
    with suppress(OSError, ValueError):
        quota, period = ((folder / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    return math.inf
