"""The sound files of a folder, by piece and split."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

from musicae.core import Adapter
from musicae.datasets.shared.cache import size_of
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError
from musicae.formats.folders import files_in

__all__ = ["grouped"]


def grouped(
    adapter: Adapter, split: str, folder: Path, split_by: str, seed: int, test: float, validation: float
) -> dict[str, list[Path]]:
    """Return the sound files under `folder` that are in a split, by piece: a file, or a folder directly under it.

    Of files with the same content only the first counts. Raise MusicaeError if there are none.
    """
    check(split)
    if split_by not in ("file", "folder"):
        raise MusicaeError(f"[dataset] split_by must be 'file' or 'folder', not '{split_by}'")
    paths = files_in(folder, adapter.suffixes)
    if not paths:
        raise MusicaeError(f"no sound files under {folder}; check the path given with --data")
    groups: dict[str, list[Path]] = {}
    for path in _unique(paths):
        relative = path.relative_to(folder)
        piece = relative.parts[0] if split_by == "folder" and len(relative.parts) > 1 else relative.as_posix()
        if split_of(piece, seed, test, validation) == split:
            groups.setdefault(piece, []).append(path)
    return groups


def _unique(paths: list[Path]) -> list[Path]:
    """Return the files without exact copies of an earlier one."""
    sizes = {path: size_of(path) for path in paths}
    counts = Counter(sizes.values())
    seen: set[bytes] = set()
    kept = []
    for path in paths:
        if counts[sizes[path]] > 1:
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").digest()
            except OSError:  # Who reads it says so.
                digest = os.fsencode(path)
            if digest in seen:
                continue
            seen.add(digest)
        kept.append(path)
    return kept
