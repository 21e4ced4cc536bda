"""Prepare a data set once: shard by shard, by several processes, into the user's cache; the next training maps it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musicae.core import Windows
from musicae.datasets.shared.cache import cache_folder
from musicae.datasets.shared.left_out import LeftOut
from musicae.datasets.shared.shards import Piece, Shard, ShardedData, open_shard, pack_shard, save_shard
from musicae.errors import MusicaeError, OutputError, elsewhere
from musicae.formats.atomic import make_folder
from musicae.processes import spread
from musicae.threads import cores

__all__ = ["Plan", "batched", "prepared"]

_MAX_CHECKED = 1 << 30  # Bytes of all shards up to which they are checked before training, not as they are first read.


@dataclass(frozen=True)
class Plan:
    """How to prepare a data set.

    `read` makes the pieces of one of the `batches`, which become one shard; what it needs must be what can be pickled.
    `key` changes with all that the result depends on; `what` names the files in messages (``"pictures under photos"``).
    The windows are `rows` of the pieces' data, or cut from its last axis. It takes several processes if there are as
    many jobs in all batches as `many`.
    """

    what: str
    key: str
    batches: Sequence[Sequence[Any]]
    read: Callable[[Sequence[Any]], list[Piece]]
    rows: bool = False
    many: int = 2000

    @property
    def jobs(self) -> int:
        """How many jobs there are in all batches."""
        return sum(map(len, self.batches))


def batched(jobs: Sequence[Any], weights: Sequence[int], most: int, heaviest: int) -> list[list[Any]]:
    """Return jobs in batches of as many as `most`, and of a weight of `heaviest` where that leaves one at least."""
    batches: list[list[Any]] = []
    weight = 0
    for job, own in zip(jobs, weights, strict=True):
        if not batches or len(batches[-1]) == most or weight + own > heaviest:
            batches.append([])
            weight = 0
        batches[-1].append(job)
        weight += own
    return batches


def prepared(
    plan: Plan, window: tuple[int, ...], channels: int, levels: int = 0, empty: bool = False
) -> tuple[Windows, LeftOut]:
    """Return all windows of a data set, each of shape `window`, and what was left out, if that has not been told yet.

    `channels` and `levels` are those of `Windows`. The names are of all pieces that have windows, or, with `empty`, of
    all. What was prepared before is used again, unless it is damaged. Raise MusicaeError where a process that prepares
    is killed, or the disk is full.
    """
    shards, fresh = _shards(plan)
    counts = np.concatenate([np.empty(0, np.int64), *(shard.counts for shard in shards)])
    kept = (counts > 0) | empty
    names = [name for shard in shards for name in shard.names]
    pieces = np.repeat(np.cumsum(kept, dtype=np.int32) - np.int32(1), counts)
    data = ShardedData(shards, window, plan.rows)
    named = [name for name, keep in zip(names, kept.tolist(), strict=True) if keep]
    left_out = LeftOut(plan.what)
    for reason, example in (pair for shard in shards if fresh or not len(data) for pair in shard.left_out):
        left_out.add(reason, example)
    return Windows(data, torch.from_numpy(pieces), channels, named, levels=levels), left_out


def _shards(plan: Plan) -> tuple[list[Shard], bool]:
    """Return all shards, and whether any had to be made."""
    folder = cache_folder() / "prepared" / plan.key
    paths = [folder / f"{number:06}.safetensors" for number in range(len(plan.batches))]
    shards = [open_shard(path, plan.key) for path in paths]
    if sum(shard.size for shard in shards if shard) <= _MAX_CHECKED:
        shards = [shard if shard and shard.is_whole() else None for shard in shards]
    missing = [number for number, shard in enumerate(shards) if shard is None]
    if not missing:
        return [shard for shard in shards if shard], False
    try:
        make_folder(folder)
    except OutputError as error:
        logging.getLogger("musicae").warning(
            "%s; the data are prepared in memory, set MUSICAE_CACHE to a folder where they can be kept",
            elsewhere(error),
        )
        return [pack_shard(plan.read(batch), plan.rows) for batch in plan.batches], True
    _make(plan, paths, missing)
    made = [shard or open_shard(path, plan.key) for shard, path in zip(shards, paths, strict=True)]
    if not all(made):
        raise MusicaeError(f"the prepared data in {folder} were removed meanwhile; run the same command again")
    return [shard for shard in made if shard], True


def _make(plan: Plan, paths: Sequence[Path], missing: Sequence[int]) -> None:
    """Make the shards that are missing; of several processes started by torchrun each begins at another."""
    own = max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    count = min(own, len(missing)) if plan.jobs >= plan.many else 1
    begin = len(missing) * int(os.environ.get("RANK", "0")) // int(os.environ.get("WORLD_SIZE", "1"))
    ordered = [*missing[begin:], *missing[:begin]]
    work = partial(_work, plan, paths, ordered, count)
    if count == 1:
        work(0)
        return
    log = logging.getLogger("musicae")
    log.warning("preparing %s in %d processes, into %s", plan.what, count, paths[0].parent)
    quarters = 0

    def tell() -> None:
        nonlocal quarters
        now = 4 * sum(path.is_file() for path in paths) // len(paths)
        if now > quarters:
            log.warning("preparing %s: %d %%", plan.what, 25 * now)
        quarters = max(now, quarters)

    spread(work, count, tell, "a process that prepares the data was killed, perhaps for lack of memory")


def _work(plan: Plan, paths: Sequence[Path], numbers: Sequence[int], count: int, process: int) -> None:
    """Make the shards of one of several processes, except those that someone else has made meanwhile."""
    if count > 1:
        torch.set_num_threads(1)
    for number in numbers[process::count]:
        if open_shard(paths[number], plan.key) is None:
            try:
                save_shard(pack_shard(plan.read(plan.batches[number]), plan.rows), paths[number], plan.key)
            except OutputError as error:
                raise OutputError(f"{error}; set MUSICAE_CACHE to a folder with more room") from None
