"""How the files that an adapter writes end."""

from __future__ import annotations

from musicae.core import Adapter

__all__ = ["suffix_like", "suffixes_written"]


def suffixes_written(adapter: Adapter) -> tuple[str, ...]:
    """Return the suffixes of the files that an adapter writes, lower case with the dot, the usual one first."""
    return adapter.writes or adapter.suffixes


def suffix_like(adapter: Adapter, suffix: str = "") -> str:
    """Return how a file that an adapter writes is to end: in `suffix` where it can, else in its usual one."""
    written = suffixes_written(adapter)
    return suffix if suffix.lower() in written else written[0]
