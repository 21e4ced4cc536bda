"""The batches of a training: made as they are asked for, or ahead by other processes, and the same either way."""

from __future__ import annotations

import math
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .codec import generator
from .core import Adapter, Corruption, Windows
from .errors import MusicaeError

__all__ = ["Batch", "Batches", "explained", "usual_workers"]

_MOST = 16  # Processes that make batches for one graphics card, if no number is given.
_AHEAD = 2  # Batches that each of them has ready.
_SHARED = Path("/dev/shm")  # Where Linux keeps what processes share; in a container it may be small.
_ENDED = (
    "a process that makes the batches has ended, for want of memory perhaps; add --resume and, after --workers, a "
    "smaller number or 0"
)
_FREE = 0.8  # Share of what is free there that may be used.


class Batch(NamedTuple):
    """What one step trains on: windows `clean` and `given` ``(B, C, *S)``, and their numbers `chosen` ``(B,)``.

    `number` ``()`` is for the random generators that all share, `state` that of the step's own generator.
    """

    clean: Tensor
    given: Tensor
    chosen: Tensor
    number: Tensor
    state: Tensor


class Batches(Dataset[Batch]):
    """The batches of a training by step, each a function of (seed, step, rank) alone.

    `batch` is the whole batch, of which this process, `rank`, gets its share of ``batch / world``.
    """

    def __init__(
        self, adapter: Adapter, windows: Windows, corrupt: Corruption | None, batch: int, seed: int, rank: int = 0,
        world: int = 1,
    ) -> None:  # fmt: skip
        if not len(windows):
            raise MusicaeError("there is nothing to train on: the training split is empty")
        self.adapter, self.windows, self.corrupt = adapter, windows, corrupt
        self.batch, self.seed, self.rank, self.share = batch, seed, rank, batch // world

    def __getitem__(self, step: int) -> Batch:
        """Make the batch of a step."""
        from accelerate.utils import set_seed

        rng = generator(self.seed, step, self.rank)
        number = torch.randint(2**31, (), generator=rng)
        set_seed(int(number))  # For a part that draws from what all share.
        whole = _indices(len(self.windows), self.batch, step, self.seed)
        chosen = whole[self.rank * self.share : (self.rank + 1) * self.share]
        clean = self.adapter.augment(self.windows.batch(chosen), rng)
        given = self.corrupt(clean, rng) if self.corrupt else clean
        return Batch(clean, given, chosen, number, rng.get_state())

    def of(self, steps: range, workers: int = 0) -> Iterator[Batch]:
        """Go through the batches of `steps`; `workers` processes, if not 0, make them ahead (see `explained`)."""
        workers = self._fitting(workers)
        if not workers:
            yield from (self[step] for step in steps)
            return
        # What is forked shares the windows; elsewhere they are sent once.
        how = "fork" if sys.platform == "linux" else None
        loader = DataLoader(
            self, batch_size=None, sampler=steps, num_workers=workers, prefetch_factor=_AHEAD,
            pin_memory=torch.cuda.is_available(), worker_init_fn=_undisturbed, multiprocessing_context=how,
            generator=generator(self.seed),
        )  # fmt: skip
        try:
            yield from loader
        except (ConnectionError, EOFError) as error:  # It ended while its batch was fetched.
            raise MusicaeError(_ENDED) from error

    def _fitting(self, workers: int) -> int:
        """Return how many of so many processes have room for what they share."""
        if not workers or not _SHARED.is_dir():
            return workers
        one = 2 * 4 * self.share * math.prod(self.adapter.spec.full_shape)
        return min(workers, int(_FREE * shutil.disk_usage(_SHARED).free / (_AHEAD * one)))


@contextmanager
def explained() -> Iterator[None]:
    """Raise MusicaeError if a process that makes batches is ended from outside, which may be told at any moment."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise MusicaeError(_ENDED) from error


def usual_workers(device: str) -> int:
    """Return how many processes make batches if no number is given: none on a CPU, which has enough to do.

    For a graphics card it is one for each core but one, and for several in one machine their share of that.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cards = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return min(_MOST, max(1, cores // cards - 1)) if device == "cuda" else 0


def _undisturbed(worker: int) -> None:
    """Leave Ctrl-C to the process that trains: it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@lru_cache(maxsize=2)
def _order(n: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(n, generator=generator(seed, epoch, -1))


def _indices(n: int, batch: int, step: int, seed: int) -> Tensor:
    """Return the whole batch of `step`: every epoch is another order of all the windows."""
    place = torch.arange(step * batch, (step + 1) * batch)
    epochs = range(int(place[0]) // n, int(place[-1]) // n + 1)
    return torch.cat([_order(n, seed, epoch)[place[place // n == epoch] % n] for epoch in epochs])
