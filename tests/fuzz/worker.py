"""One process that runs inputs of a target and tells what became of each."""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def serve(connection: Connection, target: str, seed: int, folder: str) -> None:
    """Answer each number with (outcome, detail, peak in MB) until the process is killed."""
    runner = _Runner(target, Path(folder))
    connection.send("ready")
    while True:
        try:
            number = connection.recv()
        except EOFError:
            return
        outcome, detail, _ = runner.run(seed, number)
        connection.send((outcome, detail, _peak_mb()))
        _reset_peak()


def once(target: str, seed: int, number: int, folder: Path) -> dict[str, Any]:
    """Run one input and return all that is known of it."""
    runner = _Runner(target, folder)
    outcome, detail, full = runner.run(seed, number)
    return {
        "outcome": outcome,
        "detail": detail,
        "peak_mb": _peak_mb(),
        "input": runner.target.shown,
        "traceback": full.splitlines(),
    }


class _Runner:
    def __init__(self, target: str, folder: Path) -> None:
        import targets

        self.folder = folder.resolve()
        self.inputs, self.logs = self.folder / "inputs", [self.folder / "stdout", self.folder / "stderr"]
        os.chdir(self.folder)
        self.saved = [os.dup(1), os.dup(2)]
        self.stray = [os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC) for log in self.logs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.target = targets.TARGETS[target](self.folder / "seeds")
        warnings.simplefilter("always")  # A warning is stray output.

    def run(self, seed: int, number: int) -> tuple[str, str, str]:
        """Return (outcome, what it was in short, the traceback)."""
        from musicae.errors import MusicaeError

        rng = random.Random(f"{seed}/{self.target.name}/{number}")
        shutil.rmtree(self.inputs, ignore_errors=True)
        self.inputs.mkdir()
        os.chdir(self.inputs)
        for stream, log in zip((1, 2), self.stray, strict=True):
            os.ftruncate(log, 0)
            os.lseek(log, 0, os.SEEK_SET)
            os.dup2(log, stream)
        outcome, detail, full = "result", "", ""
        try:
            self.target.run(rng)
        except MusicaeError as error:
            outcome, detail = "refused", str(error)
        except Exception as error:
            outcome, full = "traceback", traceback.format_exc()
            ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "musicae" in frame.filename]
            place = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
            detail = f"{type(error).__name__} in {place}"
            if isinstance(error, AssertionError):
                detail = f"{error}"[:200]
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, copy in zip((1, 2), self.saved, strict=True):
                os.dup2(copy, stream)
            os.chdir(self.folder)
        written = b"".join(log.read_bytes() for log in self.logs)
        if written and outcome in ("result", "refused"):
            outcome, full = "stray output", written.decode(errors="replace")
            detail = re.sub(r"0x[0-9a-f]+|\d+", "N", full.splitlines()[0][:100])
        return outcome, detail, full


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    return 0.0


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
