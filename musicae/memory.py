"""How much memory one file may take: a few kilobytes can stand for gigabytes."""

from __future__ import annotations

import ctypes
import os
import platform
import re

from musicae.errors import MusicaeError

__all__ = ["VARIABLE", "check_memory", "give_back", "in_bytes", "keep_freed_memory", "memory_limit"]

VARIABLE = "MUSICAE_MEMORY"
"""The environment variable that sets the limit: bytes, or a number with K, M, G or T."""

_DEFAULT = 10**9
_MALLOPT = {-4: 0, -1: 2**31 - 1, -2: 2**26}
"""M_MMAP_MAX: no mappings; M_TRIM_THRESHOLD: keep all that is freed; M_TOP_PAD: grow the heap in large steps."""

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def memory_limit() -> int:
    """Return how many bytes reading or restoring one file may take: 1 GB, or what `VARIABLE` says.

    Raise MusicaeError if that is no size.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return _DEFAULT
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([KMGT]?)(?:I?B)?", text.upper())
    if not match:
        raise MusicaeError(f"{VARIABLE} must be a size such as 4G or 800M, not '{text[:40]}'")
    return int(float(match[1]) * _UNITS[match[2]])


def check_memory(needed: int, name: str) -> None:
    """Raise MusicaeError if the file `name` takes more than `memory_limit` bytes; call it before they are taken."""
    limit = memory_limit()
    if needed > limit:
        raise MusicaeError(
            f"{name} takes {in_bytes(needed)} of memory, the limit is {in_bytes(limit)}; "
            f"set {VARIABLE}={_rounded_up(needed)} to allow it"
        )


def keep_freed_memory() -> None:
    """Keep the memory that tensors leave, for the next ones: a training step takes and frees gigabytes.

    By default the C library returns large pieces to the system, which clears each page when it is used again. Only
    glibc has this setting (``mallopt``); elsewhere nothing happens.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for parameter, value in _MALLOPT.items():
            libc.mallopt(parameter, value)


def give_back() -> None:
    """Give memory that is free again back to the system, where glibc keeps it (``malloc_trim``)."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def in_bytes(count: int) -> str:
    """Return a number of bytes for people."""
    unit = next((unit for unit in "TGMK" if count >= _UNITS[unit]), "")
    return f"{count / _UNITS[unit]:.3g} {unit}B"


def _rounded_up(count: int) -> str:
    """Return a size of at least `count` bytes as `memory_limit` reads it."""
    return f"{-(-count // 10**9)}G"
