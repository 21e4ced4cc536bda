"""How many threads to use for a piece of work, and how idle ones wait.

A small network does thousands of small steps. Several threads gain nothing there, and when the cores are busy with
something else they wait for each other ten times as long as they work.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["MIN_PARALLEL", "PASSIVE", "cores", "suited", "wait_passively"]

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


def _chosen(number: int) -> bool:
    """Tell whether the user chose the number of threads: torch's own is that of all cores, or of the physical ones."""
    if "OMP_NUM_THREADS" in os.environ or "MKL_NUM_THREADS" in os.environ:
        return True
    return number not in (cores(), cores() // 2)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
