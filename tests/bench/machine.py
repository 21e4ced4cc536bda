"""What a machine is, and how fast it multiplies matrices."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from contest import Contender, contest

PRODUCTS = ((1024, 1024, 1024), (2048, 768, 192), (8192, 192, 576))
TELLING = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "asimd")  # Those that decide how fast; the first one counts.


def describe() -> str:
    """Return a sentence that names the CPU, and what one thread of it reaches."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.is_file() else ""
    facts = dict(re.findall(r"^([^\t\n:]+)\t*: (.+)$", text, re.MULTILINE))
    flags = facts.get("flags", facts.get("Features", "")).split()
    name = facts.get("model name", platform.processor() or platform.machine())
    kind = [f"family {facts['cpu family']} model {facts['model']}"] if {"cpu family", "model"} <= facts.keys() else []
    parts = [name, *kind, *[flag for flag in TELLING if flag in flags][:1], f"{os.cpu_count()} cores"]
    (rate,) = contest([Contender("matrices", "machine:rates")], 3)
    if rate.reason:
        speed = f"the rate of matrix products is not known ({rate.reason})"
    else:
        of = {name: max(run[name] for run in rate.figures) / 1e9 for name in ("bf16", "float32")}
        speed = (
            f"one thread multiplies matrices at {of['bf16']:.0f} GFLOP/s in bfloat16, {of['float32']:.0f} in float32"
        )
    load = os.getloadavg()[0]
    return f"{', '.join(parts)}; torch {version('torch')}; {speed}; load of the machine at the start {load:.1f}."


def rates() -> Callable[[], dict[str, float]]:
    """Return what measures the operations a second of the fastest of `PRODUCTS`."""
    import torch

    from musicae.training.profile import matrix_rate

    kinds = {"bf16": torch.bfloat16, "float32": torch.float32}
    cpu = torch.device("cpu")
    return lambda: {name: max(matrix_rate(size, kind, cpu) for size in PRODUCTS) for name, kind in kinds.items()}
