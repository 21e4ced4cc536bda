"""Which precision a processor calculates in fastest."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

__all__ = ["coarse", "has_bfloat16", "training_precision"]

_FLAGS = {"avx512_bf16", "amx_bf16"}  # Of x86 processors; without them, bfloat16 is slower than float32.
_CPU_FLAGS = Path("/proc/cpuinfo")


def coarse(device: torch.device) -> torch.autocast:
    """Return a context in which networks calculate in bfloat16 where the processor multiplies that: half the time.

    The error, about 1 in 500 of what a network adds to its input, is for results that are rounded to bytes.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cpu" and has_bfloat16())


def training_precision(wanted: str, *, cpu: bool = False) -> str:
    """Return the precision to train in: `wanted`, but ``"no"`` (float32) for a ``"bf16"`` that would be emulated.

    That is slower than float32: four times on a processor with AVX-512 alone. `cpu` keeps off the GPU.
    """
    if wanted != "bf16":
        return wanted
    if not cpu and torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = (not cpu and torch.backends.mps.is_available()) or has_bfloat16()
    return "bf16" if native else "no"


@cache
def has_bfloat16() -> bool:
    """Tell whether this processor has instructions for bfloat16, as far as Linux says; elsewhere it is False."""
    try:
        lines = _CPU_FLAGS.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return bool(_FLAGS & set(flags.split()))
