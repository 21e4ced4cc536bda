"""Measure programs side by side: each in a process of its own, by turns, on one thread; the quickest run counts.

A contender may run in a Python of its own, so that what it needs does not have to agree with what musicae needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
REPOSITORY = BENCH.parents[1]

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
_PATIENCE = 300.0  # Seconds that a contender may take to be ready, and for a run.
_LENGTH = 140  # Characters of a reason.


@dataclass(frozen=True)
class Contender:
    """What to measure.

    `function` is ``module:name`` in this folder. It is called with `arguments`, which go through JSON, in a process of
    `python`; what it returns is called for each run, and may return figures of its own as a dictionary.
    """

    name: str
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    python: Path = Path(sys.executable)


@dataclass
class Result:
    """Seconds of the quickest runs, on the clock and of the CPU, and the figures of each run; or why there are none."""

    name: str
    wall: float = 0.0
    cpu: float = 0.0
    figures: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""

    def best(self, figure: str) -> float:
        """Return the smallest value of a figure."""
        return min(run[figure] for run in self.figures)


def contest(contenders: Sequence[Contender], repeats: int, *, warm_up: bool = True) -> list[Result]:
    """Start all contenders, then let them run by turns, `repeats` times each, after a run of each that does not count.

    One that fails has a reason instead of figures.
    """
    results = [Result(contender.name) for contender in contenders]
    with ExitStack() as stack:
        running = []
        for contender, result in zip(contenders, results, strict=True):
            with _explained(result):
                running.append((stack.enter_context(_started(contender)), result))
        for i in range(-1 if warm_up else 0, repeats):
            for process, result in running:
                if not result.reason:
                    with _explained(result):
                        _take(process.run(), result, counts=i >= 0)
    return results


def _take(answer: dict[str, Any], result: Result, counts: bool) -> None:
    if not counts:
        return
    first = not result.figures
    result.wall = answer["wall"] if first else min(result.wall, answer["wall"])
    result.cpu = answer["cpu"] if first else min(result.cpu, answer["cpu"])
    result.figures.append(answer["figures"])


class _Failed(Exception):
    pass


@contextmanager
def _explained(result: Result) -> Iterator[None]:
    try:
        yield
    except (_Failed, OSError) as error:
        result.reason = shortened(str(error))


def shortened(reason: str) -> str:
    """Return the last line of a reason, not too long, and fit for a cell of a table."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return (lines[-1] if lines else "it says nothing")[:_LENGTH].replace("|", "/").replace(str(REPOSITORY), ".")


class _Process:
    """A contender's process; `run` measures a run of it."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process, self._errors = process, errors
        self.answer()

    def run(self) -> dict[str, Any]:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # That it has ended is found out below.
            self._process.stdin.write("run\n")
            self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """Return what it says next. Raise _Failed if it ends, or says nothing for too long."""
        assert self._process.stdout
        timer = threading.Timer(_PATIENCE, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if line:
            return dict(json.loads(line))
        code = self._process.wait()
        raise _Failed(self._errors.read_text(errors="replace") if code > 0 else f"killed, perhaps after {_PATIENCE} s")


@contextmanager
def _started(contender: Contender) -> Iterator[_Process]:
    words = [contender.python, BENCH / "contender.py", contender.function, json.dumps(contender.arguments)]
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder) / "stderr"
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
                env={**os.environ, **_ONE_THREAD, "PYTHONPATH": str(REPOSITORY)}, cwd=folder,
            )  # fmt: skip
        try:
            yield _Process(process, errors)
        finally:
            process.kill()
            process.communicate()
