"""Parts of a job over many files, one for each of several machines, which need not know of each other."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from musicae.errors import MusicaeError

__all__ = ["ALL", "Shard", "from_environment", "parse"]

T = TypeVar("T")

_MOST = 10**6  # Shards.


@dataclass(frozen=True)
class Shard:
    """Part `index` (from 1) of `count`; by default all.

    A file's name, less its ending, decides which one takes it. So all agree without speaking, a file that comes later
    moves no other, and two files that would be written to one place are in the same shard, which refuses them.
    """

    index: int = 1
    count: int = 1

    def takes(self, name: Path) -> bool:
        """Tell whether a file is in this shard, by its name in the job: where it lies in the folder."""
        digest = hashlib.sha256(os.fsencode(name.with_suffix("").as_posix())).digest()
        return int.from_bytes(digest[:8]) % self.count == self.index - 1

    def of(self, files: Sequence[tuple[T, Path]]) -> list[tuple[T, Path]]:
        """Return those of files, each with its name in the job, that are in this shard."""
        return [(file, name) for file, name in files if self.takes(name)]


ALL = Shard()
"""The only shard of a job that is not divided."""


def parse(text: str) -> Shard:
    """Read ``3/10``, the third of ten. Raise MusicaeError for what is not of that form."""
    found = re.fullmatch(r"(\d{1,7})/(\d{1,7})", text, re.ASCII)
    index, count = (int(number) for number in found.groups()) if found else (0, 0)
    if not 1 <= index <= count <= _MOST:
        raise MusicaeError(f"--shard {text}: write it as 3/10, the third of ten")
    return Shard(index, count)


def from_environment(environ: Mapping[str, str] = os.environ) -> tuple[Shard, str]:
    """Return the shard of this process in a SLURM job array or under torchrun, and the variable that says so.

    Outside of both it is all files, and the variable is empty. Raise MusicaeError for an array whose numbers have gaps.
    """
    for name, first, last, step, count in (
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP",
         "SLURM_ARRAY_TASK_COUNT"),
        ("RANK", "", "", "", "WORLD_SIZE"),
    ):  # fmt: skip
        texts = [environ.get(name, ""), environ.get(count, ""), *(environ.get(key, "") for key in (first, last, step))]
        numbers = [int(text) if text.isdecimal() else None for text in texts]
        own, of, low, high, by = numbers
        if own is None or not of or of == 1:
            continue
        low, by = low or 0, by or 1
        if (high is not None and high - low != (of - 1) * by) or (own - low) % by or not 0 <= (own - low) // by < of:
            raise MusicaeError(f"{name} is {own} of {of} numbers that do not follow one another; say --shard 3/10")
        return Shard((own - low) // by + 1, of), name
    return ALL, ""
