"""The batches of a training: made on demand, or ahead by other processes, with the same result."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from musicae.core import Adapter, Corruption, Windows
from musicae.errors import MusicaeError
from musicae.processes import end_with_parent, ignore_sigint
from musicae.tensors.random import generator
from musicae.threads import cores

__all__ = ["Batch", "Batches", "default_workers", "explain_killed_workers"]

_MAX_WORKERS = 16  # For one GPU, by default.
_PREFETCH = 2  # Batches that each worker has ready.
_SHARED_MEMORY = Path("/dev/shm")  # The memory that processes share on Linux; in a container it may be small.
_SHARED_MEMORY_SHARE = 0.8  # How much of its free space to use.
_KILLED = (
    "a process that makes the batches was killed, perhaps for lack of memory; "
    "add --resume and a smaller number of --workers, or --workers 0"
)


class Batch(NamedTuple):
    """The data of one step: windows `clean` and corrupted `given` ``(B, C, *S)``, and their indices `places` ``(B,)``.

    `cond` is their condition, ``(B, K)`` or ``(B, K, T)``. `seed` ``()`` is for the global generators of torch, NumPy
    and Python; `rng_state` is the state of the step's own generator.
    """

    clean: Tensor
    given: Tensor
    places: Tensor
    cond: Tensor | None
    seed: Tensor
    rng_state: Tensor


class Batches(Dataset[Batch]):
    """The batches of a training by step, each a function of (seed, step, rank) only.

    `conditions` returns those of the windows at some indices. `batch` is the size of the batch of all `world`
    processes, each of which gets ``batch / world`` of it. Raise MusicaeError for an empty training split.
    """

    def __init__(
        self,
        adapter: Adapter,
        windows: Windows,
        corruption: Corruption | None,
        batch: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        conditions: Callable[[Tensor], Tensor | None] = lambda places: None,
    ) -> None:
        if not len(windows):
            raise MusicaeError("there is nothing to train on: the training split is empty; give more data with --data")
        self.adapter, self.windows, self.corruption = adapter, windows, corruption
        self.conditions = conditions
        self.batch, self.seed, self.rank, self.share = batch, seed, rank, batch // world

    def __getitem__(self, step: int) -> Batch:
        """Make the batch of a step."""
        from accelerate.utils import set_seed

        rng = generator(self.seed, step, self.rank)
        seed = torch.randint(2**31, (), generator=rng)
        set_seed(int(seed))  # For parts that draw from the global generators.
        indices = _indices(len(self.windows), self.batch, step, self.seed)
        places = indices[self.rank * self.share : (self.rank + 1) * self.share]
        clean, cond = self.adapter.augment_with(self.windows.batch(places), self.conditions(places), rng)
        given = self.corruption(clean, rng) if self.corruption else clean
        return Batch(clean, given, places, cond, seed, rng.get_state())

    def of(self, steps: range, workers: int = 0) -> Iterator[Batch]:
        """Go through the batches of `steps`; `workers` processes, if any, make them ahead.

        Raise MusicaeError if one of them is killed (see also `explain_killed_workers`).
        """
        workers = self._workers_that_fit(workers)
        if not workers:
            yield from (self[step] for step in steps)
            return
        loader = DataLoader(
            self,
            batch_size=None,
            sampler=steps,
            num_workers=workers,
            prefetch_factor=_PREFETCH,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_start_worker,
            # Forked workers share the windows; elsewhere each gets a copy.
            multiprocessing_context="fork" if sys.platform == "linux" else None,
            generator=generator(self.seed),
        )
        try:
            yield from loader
        except (ConnectionError, EOFError) as error:  # A worker was killed while sending a batch.
            raise MusicaeError(_KILLED) from error

    def _workers_that_fit(self, workers: int) -> int:
        """Return how many of the workers can keep their batches in shared memory."""
        if not workers or not _SHARED_MEMORY.is_dir():
            return workers
        size = 2 * 4 * self.share * math.prod(self.adapter.spec.full_shape)  # `clean` and `given`, float32.
        room = _SHARED_MEMORY_SHARE * shutil.disk_usage(_SHARED_MEMORY).free
        return min(workers, int(room / (_PREFETCH * size)))


def _start_worker(number: int) -> None:
    ignore_sigint()
    end_with_parent()


@contextmanager
def explain_killed_workers() -> Iterator[None]:
    """Raise MusicaeError, one line, when PyTorch reports that a worker was killed, which may be at any moment."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise MusicaeError(_KILLED) from error


def default_workers(device: str) -> int:
    """Return how many processes make batches by default: none on a CPU, which is busy anyway.

    For a GPU it is one for each core but one; several GPUs in one machine share its cores.
    """
    gpus = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return min(_MAX_WORKERS, max(1, cores() // gpus - 1)) if device == "cuda" else 0


@lru_cache(maxsize=2)
def _order(n: int, seed: int, epoch: int) -> Tensor:
    order = torch.randperm(n, generator=generator(seed, epoch, -1))
    return order.to(torch.int32) if n < 2**31 else order


def _indices(n: int, batch: int, step: int, seed: int) -> Tensor:
    """Return the indices of the windows of `step` for all processes, ``(batch,)``; every epoch shuffles them anew."""
    position = torch.arange(step * batch, (step + 1) * batch)
    epochs = range(int(position[0]) // n, int(position[-1]) // n + 1)
    return torch.cat([_order(n, seed, epoch)[position[position // n == epoch] % n] for epoch in epochs]).long()
