"""The sound files of a folder, by piece and split."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from musicae.core import Adapter
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError

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
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in adapter.suffixes and path.is_file())
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
    sizes = Counter(path.stat().st_size for path in paths)
    seen: set[bytes] = set()
    kept = []
    for path in paths:
        if sizes[path.stat().st_size] > 1:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            if digest in seen:
                continue
            seen.add(digest)
        kept.append(path)
    return kept
