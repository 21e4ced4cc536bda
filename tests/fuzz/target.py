"""What all targets of fuzzing share."""

from __future__ import annotations

import random
from pathlib import Path

from mutations import damaged

from musicae.codec import Codec
from musicae.errors import MusicaeError

__all__ = ["DATA", "Seeds", "Target", "read_and_write", "write_damaged"]

DATA = Path(__file__).resolve().parents[2] / "data"
Seeds = list[tuple[str, bytes]]  # A suffix, and the bytes of a valid file.


class Target:
    """One kind of input. `run` works in an empty folder; it raises MusicaeError for an input that is refused."""

    name: str

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.shown = ""  # What the input was, for `--only`.

    def run(self, rng: random.Random) -> None:
        raise NotImplementedError


def write_damaged(rng: random.Random, seeds: Seeds) -> Path:
    """Write one of `seeds` damaged, one time in twenty under another's suffix; return its path."""
    suffix, data = rng.choice(seeds)
    if rng.random() < 0.05:
        suffix = rng.choice(seeds)[0]
    path = Path(f"in{suffix}").absolute()
    path.write_bytes(damaged(rng, data, rng.choice(seeds)[1]) if rng.random() < 0.98 else data)
    return path


def read_and_write(codec: Codec, path: Path, suffix: str) -> None:
    """Read a file by a codec's adapter, write it, and read that, which must be possible."""
    adapter = codec.adapter
    sample = adapter.read(path)
    copy = path.with_name(f"copy{suffix}")
    adapter.write(sample, copy)
    del sample  # Or the memory of two is counted.
    try:
        adapter.read(copy)
    except MusicaeError as error:
        raise AssertionError(f"what was written cannot be read: {error}") from error
