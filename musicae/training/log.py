"""The figures of a training: averaged between lines of the log, written, and reported to the caller."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicae.formats.atomic import atomic_write, make_folder
from musicae.training.options import Report

__all__ = ["METRICS", "Log", "Means"]

METRICS = "metrics.jsonl"
"""The log's file in a training's folder: a JSON object a line."""


class Means:
    """The means of the losses of several steps.

    Adding is cheap: only `take` reads the values, which means waiting for the GPU.
    """

    def __init__(self) -> None:
        self._losses: list[dict[str, Tensor]] = []

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Add the losses of a step, scalars of the same names every time."""
        self._losses.append({name: value.detach() for name, value in losses.items()})

    def take(self) -> dict[str, float]:
        """Return the mean of each loss, and start again."""
        losses, self._losses = self._losses, []
        names = losses[-1] if losses else {}
        return {name: torch.stack([step[name] for step in losses]).cpu().double().mean().item() for name in names}


class Log:
    """Writes figures as JSON lines, to TensorBoard if it is installed, and to the caller.

    A training that resumes from the step `first` keeps the lines up to it.
    """

    def __init__(self, out: Path, first: int = 0, report: Report | None = None) -> None:
        self._report = report
        make_folder(out)
        path, kept = out / METRICS, ""
        if first and path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = "".join(line + "\n" for line in lines if _step_of(line) <= first)
        with atomic_write(path) as temporary:
            temporary.write_text(kept, encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")
        self._board: Any = None
        if importlib.util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(out / "tensorboard", purge_step=first or None)

    def __call__(self, values: dict[str, float]) -> None:
        """Log the figures of a step, ``step`` among them."""
        self._file.write(json.dumps(values) + "\n")
        self._file.flush()
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, int(values["step"]))
        if self._report:
            self._report(values)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        if self._board:
            self._board.close()


def _step_of(line: str) -> float:
    """Return the step of a line of the log; infinity for one that was cut short, for example by a power failure."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return math.inf
