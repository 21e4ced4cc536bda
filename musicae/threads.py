"""How many threads a piece of work deserves, and how idle ones wait.

A small network does thousands of small steps. Several threads gain nothing by them, and where the cores are busy with
something else they wait for each other ten times as long as they work.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["MIN_PARALLEL", "suited", "wait_passively"]

MIN_PARALLEL = 200_000_000
"""Multiply-adds below which one thread does the work: a tenth of a second of one core, or less."""

_PASSIVE = {
    "OMP_WAIT_POLICY": "PASSIVE",  # Any OpenMP (OpenMP 5.2, section 21.1.3),
    "GOMP_SPINCOUNT": "0",  # that of GCC,
    "KMP_BLOCKTIME": "0",  # and that of LLVM and Intel.
}


def wait_passively() -> None:
    """Let OpenMP threads sleep while they wait for work, not spin; what the environment says already stays.

    It must run before torch is loaded, which reads these variables once.
    """
    for name, value in _PASSIVE.items():
        os.environ.setdefault(name, value)


@contextmanager
def suited(work: int) -> Iterator[None]:
    """Let torch use one thread where `work`, in multiply-adds, is too little for several; then as many as before.

    A number of threads that the user has set, by OMP_NUM_THREADS or MKL_NUM_THREADS or `torch.set_num_threads`, stays.
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
    """Tell whether a number of threads is the user's: torch's own is that of all cores, or of the physical ones."""
    if "OMP_NUM_THREADS" in os.environ or "MKL_NUM_THREADS" in os.environ:
        return True
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return number not in (cores, cores // 2)
