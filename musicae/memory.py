"""How much memory one file may take: a few kilobytes can stand for gigabytes."""

from __future__ import annotations

import os
import re

from musicae.errors import MusicaeError

__all__ = ["VARIABLE", "check_memory", "in_bytes", "memory_limit"]

VARIABLE = "MUSICAE_MEMORY"
"""The environment variable that sets the limit: bytes, or a number with K, M, G or T."""

_DEFAULT = 10**9
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


def in_bytes(count: int) -> str:
    """Return a number of bytes for people."""
    unit = next((unit for unit in "TGMK" if count >= _UNITS[unit]), "")
    return f"{count / _UNITS[unit]:.3g} {unit}B"


def _rounded_up(count: int) -> str:
    """Return a size of at least `count` bytes as `memory_limit` reads it."""
    return f"{-(-count // 10**9)}G"
