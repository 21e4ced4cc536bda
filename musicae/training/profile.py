"""How fast a preset trains, how near that is to what the machine can do, and where the time goes."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from musicae.preset import Preset
from musicae.training.loop import train
from musicae.training.options import TrainingOptions

__all__ = ["Operation", "Profile", "matrix_rate", "profile"]

_WARM_UP, _TIMED, _RECORDED = 3, 10, 3  # Steps of each kind; between the last two is one whose products are counted.
_STEPS = _WARM_UP + _TIMED + 1 + _RECORDED
_SHAPES = 6  # Products whose speed is measured: those with the most work.
_REPEATS = 20  # Of each; the fastest counts, since whatever else runs only makes it slower.

Product = tuple[int, int, int]
"""A matrix product: the rows and the columns of the first, and the columns of the second."""


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
        self.products, self.recorder = _Products(), torch.profiler.profile(activities=_activities())
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
        flops = sum(self.products.flops.values())
        return Profile(batch, self.seconds, flops, self.products.limit(), _operations(self.recorder))


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


class _Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations of each matrix product, or of what comes down to one; `flops` is by shape and type."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops: Counter[tuple[Product, torch.dtype, torch.device]] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call `func`, and count it."""
        out = func(*args, **(kwargs or {}))
        first = next((arg for arg in args if isinstance(arg, Tensor)), None)
        if first is not None:
            for times, product in _products(func, args, out):
                self.flops[product, first.dtype, first.device] += times * 2 * math.prod(product)
        return out

    def limit(self) -> float:
        """Return the operations a second of the fastest of the products with the most work."""
        chosen = [key for key, _ in self.flops.most_common(_SHAPES)]
        return max((matrix_rate(*key) for key in chosen), default=math.nan)


def _products(func: Any, args: Sequence[Any], out: Any) -> list[tuple[int, Product]]:
    """Return the matrix products that a call stands for, and how many times each."""
    aten, name = torch.ops.aten, func.overloadpacket
    if name in (aten.mm, aten.addmm, aten.bmm, aten.baddbmm):
        a, b = args[-2:] if name in (aten.mm, aten.bmm) else args[1:3]
        return [(math.prod(a.shape[:-2]), (a.shape[-2], a.shape[-1], b.shape[-1]))]
    if name in (aten.convolution, aten.convolution_backward):
        backward = name is aten.convolution_backward
        x, weight = args[1:3] if backward else args[:2]
        places = args[0] if backward else out
        if args[7 if backward else 6]:  # Transposed: its products are those at the places of its input.
            places = x
        once = (1, (len(places) * math.prod(places.shape[2:]), math.prod(weight.shape[1:]), weight.shape[0]))
        return [once] * (sum(args[-1][:2]) if backward else 1)
    if name in (aten.mkldnn_rnn_layer, aten.mkldnn_rnn_layer_backward):
        x, w_in, w_recurrent = args[:3]
        steps = math.prod(x.shape[:2])
        both = [(1, (steps, weight.shape[1], weight.shape[0])) for weight in (w_in, w_recurrent)]
        return both * (2 if name is aten.mkldnn_rnn_layer_backward else 1)
    if "scaled_dot_product" in str(name):
        backward = "backward" in str(name)
        q, k = args[1:3] if backward else args[:2]
        size = (q.shape[-2], q.shape[-1], k.shape[-2])
        return [(math.prod(q.shape[:-2]) * (5 if backward else 2), size)]
    return []


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
