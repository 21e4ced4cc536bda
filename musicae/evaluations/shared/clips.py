"""Clips of sound to measure with, cut from the folders named by ``--data``: the same for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from musicae.core import Adapter
from musicae.errors import MusicaeError
from musicae.formats.folders import files_in
from musicae.tensors.dsp import NOISE_FLOOR, power
from musicae.tensors.random import generator

__all__ = ["clips_of", "folder_of", "groups_of", "random_clip"]

_MAX_CACHED = 100_000_000  # Samples in memory.
_cache: dict[tuple[Adapter, Path], Tensor] = {}


def folder_of(folders: Mapping[str, Path], name: str) -> Path:
    """Return the folder `name`. Raise MusicaeError, which asks for it, if it is missing."""
    if name not in folders:
        raise MusicaeError(f"this evaluation needs a folder of sounds; name it with --data {name}=DIR")
    return folders[name]


def groups_of(adapter: Adapter, folder: Path) -> dict[str, list[Path]]:
    """Return the sound files of each folder in `folder`, by its name; a file directly in it is its own group.

    Raise MusicaeError if there are none.
    """
    groups: dict[str, list[Path]] = {}
    for path in files_in(folder, adapter.suffixes):
        relative = path.relative_to(folder)
        groups.setdefault(relative.parts[0] if len(relative.parts) > 1 else relative.stem, []).append(path)
    if not groups:
        raise MusicaeError(f"no sound files under {folder}; check the path given with --data")
    return groups


def clips_of(adapter: Adapter, folder: Path, clips: int, length: int, seed: int) -> list[Tensor]:
    """Return `clips` of `length` samples, ``(length,)``, of each folder and each file in `folder`."""
    return [
        random_clip(adapter, paths, length, generator(seed, 62, i, clip))
        for i, paths in enumerate(groups_of(adapter, folder).values())
        for clip in range(clips)
    ]


def random_clip(adapter: Adapter, paths: list[Path], length: int, rng: torch.Generator) -> Tensor:
    """Return ``(length,)`` samples of files joined in random order, from a random place.

    If they are too short they are looped. Raise MusicaeError if all are silent.
    """
    parts: list[Tensor] = []
    for i in torch.randperm(len(paths), generator=rng).tolist():
        part = _read(adapter, paths[i])
        if power(part) > NOISE_FLOOR:
            parts.append(part)
        if sum(map(len, parts)) >= 2 * length:
            break
    if not parts:
        raise MusicaeError(f"there is only silence in {paths[0].parent}; name another folder with --data")
    joined = torch.cat(parts)
    start = int(torch.randint(len(joined), (), generator=rng))
    if len(parts) > 1 and len(joined) > length:
        start = 0  # A clip of several files starts with the first.
    elif len(joined) > length:
        start %= len(joined) - length + 1
    return joined[(start + torch.arange(length)) % len(joined)]


def _read(adapter: Adapter, path: Path) -> Tensor:
    """Return the samples ``(T,)`` of a file; the files read last are cached."""
    samples = _cache.pop((adapter, path), None)
    if samples is None:
        samples = adapter.read(path).tensor[0]
    _cache[adapter, path] = samples
    while len(_cache) > 1 and sum(map(len, _cache.values())) > _MAX_CACHED:
        del _cache[next(iter(_cache))]
    return samples
