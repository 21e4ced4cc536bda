"""Kill musicae at many moments, and look at what it leaves.

    python tests/fuzz/kills.py [JOB ...] [--kills N] [--seed K]

A job is a command on small files. It runs once undisturbed, then again and again: each time it is killed (SIGKILL) at
another moment, half of them just before one of its own file operations, the others at any time. Then

- every result is absent, as it was before, or complete: equal bit for bit to that of the undisturbed run;
- the same command (a training with --resume) run to its end gives all results, bit for bit;
- nothing else is left: no temporary file, no process.

The exit code is 1 if any of this is not so.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"

# The process counts its own file operations, and kills itself before one of them.
HOOK = """
import os, sys
_left = int(os.environ.get("KILL_AT", "0"))
_places = os.environ.get("KILL_IN", "").split(":")
_counts = os.environ.get("KILL_COUNT")

def _hook(event, args):
    global _left
    if event == "open":
        writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not writes:
            return
    elif event not in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock"):
        return
    if event != "fcntl.flock" and not any(str(args[0]).startswith(place) for place in _places if place):
        return
    if _counts:
        with_count = os.open(_counts, os.O_WRONLY | os.O_APPEND)
        os.write(with_count, b"x")
        os.close(with_count)
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), 9)

if _left or _counts:
    sys.addaudithook(_hook)
"""

TINY = """
[adapter]
name = "melody"
[dataset]
name = "midi-files"
test = 0.1
validation = 0.2
[model]
name = "patch-vae"
latent = 4
width = 12
depth = 1
heads = 2
gru_width = 8
[prior]
name = "flow"
width = 16
depth = 1
[training]
steps = 12
prior_steps = 6
batch = 8
log_every = 4
checkpoint_every = 2
warmup = 2
precision = "no"
ema = 0.9
"""


@dataclass(frozen=True)
class Job:
    """A command, its share of the kills, which results it gives, and what is said to it after a kill."""

    words: str
    share: int
    results: Sequence[str]
    again: str = ""
    ignored: Sequence[str] = ()


TRAIN = "train tiny.toml --data midi -o run --cpu"
JOBS = {
    "train": Job(TRAIN, 5, ("run/state.safetensors", "run/model.safetensors"), f"{TRAIN} --resume",
                 ("run/metrics.jsonl", "run/tensorboard")),
    "denoise": Job("denoise a.wav -o out.wav -f", 3, ("out.wav",)),
    "denoise-folder": Job("denoise album -o clean", 3, ("clean/a.wav", "clean/b.flac", "clean/in/c.wav")),
    "denoise-jobs": Job("denoise album -o clean -j 2", 3, ("clean/a.wav", "clean/b.flac", "clean/in/c.wav")),
    "interpolate": Job("interpolate twinkle.mid ode-to-joy.mid -o out.mid --wav --png -f", 3,
                       ("out.mid", "out.wav", "out.png")),
    "encode": Job("encode twinkle.mid ode-to-joy.mid -o out.npz -f", 3, ("out.npz",)),
}  # fmt: skip


@dataclass
class Tally:
    """What was found over the kills of a job."""

    kills: int = 0
    ended: int = 0  # Runs that were done before they could be killed.
    before: int = 0  # Kills before any result was there.
    faults: list[str] = field(default_factory=list)


def prepare(folder: Path) -> None:
    """Write the input files."""
    rng = np.random.default_rng(0)
    (folder / "album" / "in").mkdir(parents=True)
    for place, form in (("a.wav", "WAV"), ("album/a.wav", "WAV"), ("album/b.flac", "FLAC"), ("album/in/c.wav", "WAV")):
        tone = 0.3 * np.sin(np.arange(16_000) * rng.uniform(0.1, 0.3))
        soundfile.write(folder / place, tone + 0.05 * rng.standard_normal(16_000), 16_000, format=form)
    (folder / "midi").mkdir()
    for name in ("twinkle", "ode-to-joy", "greensleeves", "band"):
        shutil.copy(DATA / f"{name}.mid", folder)
        for copy in range(3):
            shutil.copy(DATA / f"{name}.mid", folder / "midi" / f"{name}{copy}.mid")
    (folder / "tiny.toml").write_text(TINY)


def contents(folder: Path, ignored: Sequence[str] = ()) -> dict[str, bytes]:
    """Return all files of a folder, and its folders (as empty ones), but those that are ignored."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(tuple(ignored) or ("\0",)):
            found[name] = path.read_bytes() if path.is_file() else b""
    return found


class Bench:
    """Runs the command of a job in a folder of its own, with temporary files and caches beside it."""

    def __init__(self, work: Path) -> None:
        self.work, self.folder = work, work / "files"
        self.temporary = work / "tmp"
        hook = work / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK)
        self.environment = {
            **os.environ, "PYTHONPATH": f"{hook}:{ROOT}", "OMP_NUM_THREADS": "1", "TMPDIR": str(self.temporary),
            "MUSICAE_CACHE": str(work / "cache"), "KILL_IN": f"{self.folder}:{self.temporary}:{work / 'cache'}",
            "PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(work / "matplotlib"), "RUN_OF": str(work),
        }  # fmt: skip

    def reset(self) -> None:
        for place in (self.folder, self.temporary, self.work / "cache"):
            shutil.rmtree(place, ignore_errors=True)
        self.temporary.mkdir()
        shutil.copytree(self.work / "given", self.folder)

    def start(self, words: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "musicae", *words.split()], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**self.environment, **environment},
        )  # fmt: skip

    def run(self, words: str, **environment: str) -> str:
        """Run a command to its end; return what it said if it failed."""
        with self.start(words, **environment) as process:
            said = process.communicate(timeout=300)[1].decode(errors="replace")
            return said[-400:] if process.returncode else ""

    def operations(self, words: str) -> int:
        """Return how many file operations a command makes."""
        count = self.work / "count"
        count.write_bytes(b"")
        if said := self.run(words, KILL_COUNT=str(count)):
            raise SystemExit(f"{words} fails undisturbed: {said}")
        return count.stat().st_size

    def orphans(self) -> list[int]:
        """Return the processes of these runs that are still there."""
        mark, found = f"RUN_OF={self.work}".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found


def kill(bench: Bench, job: Job, rng: random.Random, operations: int, seconds: float) -> bool:
    """Run the command and kill it at a random moment; return whether it was still running."""
    if rng.random() < 0.5:
        with bench.start(job.words, KILL_AT=str(rng.randrange(1, operations + 1))) as process:
            process.communicate(timeout=300)
    else:
        with bench.start(job.words) as process:
            try:
                process.communicate(timeout=rng.uniform(0.3, 1.0) * seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
    return process.returncode == -signal.SIGKILL


def check_killed(bench: Bench, job: Job, wanted: dict[str, bytes]) -> list[str]:
    """Return what is wrong right after a kill."""
    faults = []
    for name in job.results:
        path = bench.folder / name
        # A training writes its results again and again: those are compared at its end.
        if path.exists() and not job.again and path.read_bytes() != wanted[name]:
            faults.append(f"{name} is half written")
    deadline = time.monotonic() + 2
    while (left := bench.orphans()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return faults + [f"process {number} is left" for number in left]


def check_again(bench: Bench, job: Job, wanted: dict[str, bytes]) -> list[str]:
    """Run the command to its end, and return what is wrong then."""
    resumes = job.again and (bench.folder / job.results[0]).exists()
    if said := bench.run(job.again if resumes else job.words):
        return [f"the next run fails: {said}"]
    made = contents(bench.folder, job.ignored)
    faults = [f"{name} is missing" for name in wanted.keys() - made.keys()]
    faults += [f"{name} is left behind" for name in made.keys() - wanted.keys()]
    faults += [f"{name} is another" for name in wanted.keys() & made.keys() if made[name] != wanted[name]]
    temporary = [path.name for path in bench.temporary.iterdir() if "musicae" in path.name]
    cached = [path.name for path in (bench.work / "cache").glob(".*")]
    return faults + [f"{name} is left behind" for name in [*temporary, *cached]]


def torment(name: str, job: Job, kills: int, seed: int) -> Tally:
    """Kill a job so many times."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="kills-") as place:
        work = Path(place).resolve()
        prepare(work / "given")
        bench = Bench(work)
        bench.reset()
        operations = bench.operations(job.words)
        wanted = contents(bench.folder, job.ignored)
        bench.reset()
        started = time.monotonic()
        bench.run(job.words)
        seconds = time.monotonic() - started
        assert contents(bench.folder, job.ignored) == wanted, f"{name} is not the same twice"
        rng = random.Random(f"{seed}/{name}")
        for number in range(kills):
            bench.reset()
            for _ in range(1 if rng.random() < 0.8 else 2):  # Now and then twice in a row.
                tally.kills += 1
                if not kill(bench, job, rng, operations, seconds):
                    tally.ended += 1
                tally.before += not any((bench.folder / result).exists() for result in job.results)
                tally.faults += [f"{name} {number}: {fault}" for fault in check_killed(bench, job, wanted)]
            tally.faults += [f"{name} {number}: {fault}" for fault in check_again(bench, job, wanted)]
        for process in bench.orphans():
            os.kill(process, signal.SIGKILL)
    return tally


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"of {', '.join(JOBS)}; all by default")
    parser.add_argument("--kills", type=int, default=200, help="in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=2, help="how many jobs are worked on at a time")
    options = parser.parse_args()
    names = options.jobs or list(JOBS)
    if wrong := set(names) - set(JOBS):
        parser.error(f"no job {', '.join(sorted(wrong))}; choose from {', '.join(JOBS)}")
    whole = sum(JOBS[name].share for name in names)

    def work(name: str) -> Tally:
        return torment(name, JOBS[name], -(-options.kills * JOBS[name].share // whole), options.seed)

    print("| job | kills | ended before | no result yet | faults |\n|---|---:|---:|---:|---:|")
    faults = []
    with ThreadPool(options.at_once) as pool:
        for name, tally in zip(names, pool.imap(work, names), strict=True):
            print(f"| {name} | {tally.kills} | {tally.ended} | {tally.before} | {len(tally.faults)} |", flush=True)
            faults += tally.faults
    print("\n".join(faults))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
