"""Whole commands as contenders: they need the standard library only, so that their own memory is what is measured."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable


def command(words: list[str]) -> Callable[[], dict[str, int]]:
    """Return what runs the Python of this process with arguments; its figure is the most memory it took, in bytes."""

    def run() -> dict[str, int]:
        done = subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        unit = 1 if sys.platform == "darwin" else 1024
        return {"memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit}

    return run
