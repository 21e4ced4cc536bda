"""A process that `contest` measures: ``python contender.py MODULE:FUNCTION ARGUMENTS``, then a line on stdin for a run.

This runs in any Python of 3.9 or later, and needs no package.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time


def cpu_seconds() -> float:
    """Return the CPU time of this process, and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main() -> None:
    """Get ready, and run as often as asked."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What libraries print is no answer.
    module, _, name = sys.argv[1].partition(":")
    run = getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))
    answers.write("{}\n")
    answers.flush()
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), cpu_seconds()
        figures = run() or {}
        taken = {"wall": time.perf_counter() - wall, "cpu": cpu_seconds() - cpu, "figures": figures}
        answers.write(json.dumps(taken) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
