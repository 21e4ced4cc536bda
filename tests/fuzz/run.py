"""Feed damaged and hostile inputs to musicae, and count what must not happen.

    python tests/fuzz/run.py [TARGET ...] [--inputs N] [--seconds S] [--seed K] [--jobs J]
    python tests/fuzz/run.py TARGET --only NUMBER --seed K     # One input again, with its traceback.

An input is made from its target, its number and the seed alone. It must give a result or one line that says what is
wrong (`MusicaeError`). Counted are tracebacks, hangs (over 5 s of CPU, or 30 s), crashes of the interpreter, and
stray output of libraries; each kind is listed once, with the number of an input that shows it. The exit code is 1 if
there are any, or if the memory went over 1.5 GB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import worker

MAX_CPU, MAX_WALL, MAX_MB = 5.0, 30.0, 1500
SHARES = {  # Of the inputs: what is quick is tried more often.
    "midi": 30, "abc": 10, "audio": 20, "picture": 15, "codes": 10, "checkpoint": 6, "preset": 7, "command-line": 2
}  # fmt: skip


@dataclass
class Tally:
    """What happened to the inputs of one target."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: dict[str, tuple[int, int]] = field(default_factory=dict)  # What it was -> its first input, how often.
    peak_mb: float = 0.0
    seconds: float = 0.0

    def add(self, number: int, outcome: str, detail: str, mb: float, seconds: float) -> None:
        self.counts[outcome] += 1
        self.peak_mb = max(self.peak_mb, mb)
        self.seconds += seconds
        if outcome not in ("result", "refused"):
            self.fault(f"{outcome}: {detail}", number)
        if mb > MAX_MB:
            self.fault(f"memory: {mb:.0f} MB", number)

    def fault(self, what: str, number: int) -> None:
        first, count = self.faults.get(what, (number, 0))
        self.faults[what] = (first, count + 1)


class Child:
    """A worker process with inputs of one target, and the watch over it."""

    def __init__(self, target: str, seed: int) -> None:
        self.target, self.seed = target, seed
        self.start()

    def start(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="fuzz-")
        ours, theirs = multiprocessing.Pipe()
        self.connection: Connection = ours
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=worker.serve, args=(theirs, self.target, self.seed, self.folder))
        self.process.start()
        theirs.close()
        self.begun = self.cpu = 0.0
        self.number = -1
        self.ready = False

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, number: int) -> None:
        self.number, self.begun, self.cpu = number, time.monotonic(), self._cpu_seconds()
        self.connection.send(number)

    def poll(self) -> tuple[str, str, float] | None:
        """Return (outcome, detail, MB) of the input it works on, or None while it does."""
        try:
            if self.connection.poll(0.2):
                answer: tuple[str, str, float] = self.connection.recv()
                return answer
        except (EOFError, OSError):
            self.process.join(5)
            return ("crash", f"exit code {self.process.exitcode}", 0.0)
        if not self.process.is_alive():
            return ("crash", f"exit code {self.process.exitcode}", 0.0)
        waited = time.monotonic() - self.begun
        if waited > MAX_WALL or (waited > MAX_CPU and self._cpu_seconds() - self.cpu > MAX_CPU):
            return ("hang", f"{waited:.0f} s", 0.0)
        return None

    def _cpu_seconds(self) -> float:
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            return time.monotonic()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fuzz(target: str, seed: int, first: int, step: int, inputs: int, deadline: float) -> Tally:
    """Run the inputs `first`, `first + step` ... below `inputs` of one target until the deadline."""
    tally, child = Tally(), Child(target, seed)
    child.connection.poll(120)  # It has loaded what it needs.
    try:
        if child.connection.recv() != "ready":
            raise RuntimeError
    except (EOFError, RuntimeError):
        tally.fault("the worker does not start", -1)
        return tally
    for number in range(first, inputs, step):
        if time.monotonic() > deadline:
            break
        child.send(number)
        while (answer := child.poll()) is None:
            pass
        tally.add(number, *answer, time.monotonic() - child.begun)
        if answer[0] in ("crash", "hang") or answer[2] > MAX_MB:
            child.stop()
            child.start()
            child.connection.poll(120)
            child.connection.recv()
    child.stop()
    return tally


def _job(arguments: tuple[Any, ...]) -> Tally:
    return fuzz(*arguments)


def merged(parts: list[Tally]) -> Tally:
    """Return one tally of several."""
    whole = Tally()
    for part in parts:
        whole.counts += part.counts
        whole.peak_mb, whole.seconds = max(whole.peak_mb, part.peak_mb), whole.seconds + part.seconds
        for what, (number, count) in part.faults.items():
            first, before = whole.faults.get(what, (number, 0))
            whole.faults[what] = (first, before + count)
    return whole


def report(tallies: dict[str, Tally]) -> bool:
    """Print the table and the faults; return whether there were none."""
    columns = ("result", "refused", "traceback", "hang", "crash", "stray output")
    print("| target | inputs | " + " | ".join(columns) + " | peak MB | ms an input |")
    print("|---|" + "---:|" * (len(columns) + 3))
    rows = {**tallies, "all": merged(list(tallies.values()))}
    for name, tally in rows.items():
        count = sum(tally.counts.values())
        cells = " | ".join(f"{tally.counts[column]:,}" for column in columns)
        print(f"| {name} | {count:,} | {cells} | {tally.peak_mb:.0f} | {1000 * tally.seconds / max(1, count):.1f} |")
    clean = True
    for name, tally in tallies.items():
        for what, (first, count) in sorted(tally.faults.items(), key=lambda one: -one[1][1]):
            clean = False
            print(f"\n{name} --only {first}, {count} times: {what}")
    return clean


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(SHARES)}; all by default")
    parser.add_argument("--inputs", type=int, default=100_000, help="in all (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after that time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, help="run this one input of one target")
    options = parser.parse_args()
    targets = options.targets or list(SHARES)
    if wrong := set(targets) - set(SHARES):
        parser.error(f"no target {', '.join(sorted(wrong))}; choose from {', '.join(SHARES)}")
    os.environ.update(OMP_NUM_THREADS="1", COLUMNS="120")
    if options.only is not None:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            print(json.dumps(worker.once(targets[0], options.seed, options.only, Path(folder)), indent=1))
        return
    whole = sum(SHARES[target] for target in targets)
    jobs, tallies = options.jobs, {}
    for target in targets:
        inputs = options.inputs * SHARES[target] // whole
        deadline = time.monotonic() + (options.seconds / len(targets) if options.seconds else 1e9)
        parts = [(target, options.seed, first, jobs, inputs, deadline) for first in range(jobs)]
        with multiprocessing.pool.ThreadPool(jobs) as pool:  # Threads that each watch a process.
            tallies[target] = merged(pool.map(_job, parts))
        print(f"{target}: {sum(tallies[target].counts.values()):,} inputs", file=sys.stderr, flush=True)
    sys.exit(0 if report(tallies) else 1)


if __name__ == "__main__":
    import multiprocessing.pool

    main()
