"""One split of a folder of MIDI files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache, scores
from musicae.datasets.shared.prepare import Plan, batched
from musicae.datasets.shared.shards import Piece
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError
from musicae.formats.folders import paths_in
from musicae.formats.music import midi

__all__ = ["folder_windows"]


def folder_windows(
    adapter: Adapter, split: str, folder: Path, track: str, seed: int, test: float, validation: float
) -> Windows:
    """Return one split of all MIDI files under `folder`, split by file; `track` names the track to read, if not empty.

    Files that cannot be read, or hold nothing for the adapter, are skipped. Raise MusicaeError if there are none.
    """
    check(split)
    if not folder.is_dir():
        raise MusicaeError(f"no folder {folder}; check the path given with --data")
    files = paths_in(folder, midi.SUFFIXES)
    if not files:
        raise MusicaeError(f"no MIDI files under {folder}; check the path given with --data")
    settings = {"adapter": adapter.__dict__, "kind": type(adapter).__name__, "track": track}
    key = cache.fingerprint(files, folder, set="midi", **settings)
    batches = batched(files, [0] * len(files), scores.FILES_A_SHARD, 1)
    plan = Plan(f"MIDI files under {folder}", key, batches, partial(_read_files, adapter, folder, track))
    everything = scores.collect(adapter, plan)
    return scores.subset(everything, lambda name: split_of(name, seed, test, validation) == split)


def _read_files(adapter: Adapter, folder: Path, track: str, paths: Sequence[str]) -> list[Piece]:
    options = {"track": track} if track else {}
    files = [(Path(path).relative_to(folder).as_posix(), Path(path)) for path in paths]
    return [scores.read_piece(adapter, name, path, **options) for name, path in files]
