"""How fast a preset trains, how near that is to what the machine can do, and where the time goes."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from musicae.preset import Preset
from musicae.training.loop import train
from musicae.training.options import TrainingOptions
from musicae.training.products import Product, Products

__all__ = ["Operation", "Profile", "matrix_rate", "profile"]

_WARM_UP, _TIMED, _RECORDED = 3, 10, 3  # Steps of each kind; between the last two is one whose products are counted.
_STEPS = _WARM_UP + _TIMED + 1 + _RECORDED
_SHAPES = 6  # Products whose speed is measured: those with the most work.
_REPEATS = 20  # Of each; the fastest counts, since whatever else runs only makes it slower.


@dataclass(frozen=True)
class Operation:
    """What one kind of operation takes of a step: its name in PyTorch, seconds, calls, and share of the time."""

    name: str
    seconds: float
    calls: float
    share: float


@dataclass(frozen=True)
class Profile:
    """What one process takes for a training step of `batch` examples.

    `flops` counts the operations of matrix products, convolutions, attention and LSTMs in a step, a multiplication and
    an addition as two. `limit` is how many a second the fastest of the same products reaches by itself.
    """

    batch: int
    seconds: float
    flops: int
    limit: float
    operations: tuple[Operation, ...]

    @property
    def examples_per_second(self) -> float:
        """Examples a second."""
        return self.batch / self.seconds

    @property
    def share_of_limit(self) -> float:
        """The operations a second as a share of `limit`."""
        return self.flops / self.seconds / self.limit


def profile(preset: Preset, folders: Mapping[str, Path] | None = None, *, cpu: bool = False) -> Profile:
    """Train a preset for a few steps in a single process, keep nothing of it, and return what a step takes.

    Raise MusicaeError as `train` does.
    """
    settings = {"steps": _STEPS + 1, "prior_steps": 0, "log_every": _STEPS + 1, "checkpoint_every": _STEPS + 1}
    training = {**preset.sections.get("training", {}), **settings}
    short = replace(preset, sections={**preset.sections, "training": training})
    with tempfile.TemporaryDirectory() as folder, _Stages() as stages:
        try:
            train(short, Path(folder), folders, cpu=cpu, stop=stages.after_step)
        except KeyboardInterrupt:
            if stages.steps < _STEPS:
                raise
    return stages.result(TrainingOptions(**training).batch)


class _Stages:
    """Steps to warm up, steps against the clock, one whose products are counted, and some that PyTorch records."""

    def __init__(self) -> None:
        self.steps, self.seconds = 0, 0.0
        self.products, self.recorder = Products(), torch.profiler.profile(activities=_activities())
        self.stack = ExitStack()

    def __enter__(self) -> _Stages:
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def after_step(self) -> bool:
        """Go on to the next stage where a step ends one; return whether it was the last."""
        self.steps += 1
        if self.steps == _WARM_UP:
            self.seconds = -_now()
        elif self.steps == _WARM_UP + _TIMED:
            self.seconds = (self.seconds + _now()) / _TIMED
            self.stack.enter_context(self.products)
        elif self.steps == _WARM_UP + _TIMED + 1:
            self.stack.close()
            self.stack.enter_context(self.recorder)
        elif self.steps == _STEPS:
            self.stack.close()
        return self.steps == _STEPS

    def result(self, batch: int) -> Profile:
        """Measure the limit, and put everything together."""
        return Profile(batch, self.seconds, self.products.total, _limit(self.products), _operations(self.recorder))


def _activities() -> list[torch.profiler.ProfilerActivity]:
    """Return what PyTorch is to record, and keep its recorder from writing to stderr."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    kinds = torch.profiler.ProfilerActivity
    return [kinds.CPU, kinds.CUDA] if torch.cuda.is_available() else [kinds.CPU]


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def _operations(recorder: torch.profiler.profile) -> tuple[Operation, ...]:
    """Return the operations of a step, those that take longest first."""
    on_device = any(event.self_device_time_total > 0 for event in recorder.key_averages())
    times = {
        event.key.removeprefix("aten::"): (
            event.self_device_time_total if on_device else event.self_cpu_time_total,
            event.count,
        )
        for event in recorder.key_averages()
    }
    total = sum(spent for spent, _ in times.values()) or 1
    longest = sorted(times.items(), key=lambda item: -item[1][0])
    return tuple(
        Operation(name, spent / _RECORDED / 1e6, count / _RECORDED, spent / total) for name, (spent, count) in longest
    )


def _limit(products: Products) -> float:
    """Return the operations a second of the fastest of the products with the most work."""
    chosen = [key for key, _ in products.flops.most_common(_SHAPES)]
    return max((matrix_rate(*key) for key in chosen), default=math.nan)


def matrix_rate(product: Product, dtype: torch.dtype, device: torch.device) -> float:
    """Return the operations a second of a matrix product by itself."""
    m, k, n = product
    a, b = torch.randn(m, k, device=device).to(dtype), torch.randn(n, k, device=device).to(dtype)
    fastest = math.inf
    for _ in range(_REPEATS):
        start = _now()
        nn.functional.linear(a, b)
        fastest = min(fastest, _now() - start)
    return 2 * math.prod(product) / fastest
