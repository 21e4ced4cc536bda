"""One split of a folder of MIDI files."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from musicae import registry
from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache, scores, songs
from musicae.datasets.shared.prepare import Plan, batched, prepared
from musicae.datasets.shared.shards import Piece
from musicae.datasets.shared.split import check
from musicae.errors import MusicaeError
from musicae.formats import arrays
from musicae.formats.atomic import make_folder
from musicae.formats.folders import paths_in
from musicae.formats.music import midi

__all__ = ["folder_windows", "songs_of", "windows_of"]

_VERSION = 1  # Raise it when the same files give other songs.


def folder_windows(
    adapter: Adapter, split: str, folder: Path, track: str, assign: Callable[[str], str], by_song: bool = False
) -> Windows:
    """Return one split of all MIDI files under `folder`; `track` names the track to read, if not empty.

    `assign` gives the split of a name: the file's, or, with `by_song`, that of the first of all files with its melody.
    Files that cannot be read, or hold nothing for the adapter, are skipped. Raise MusicaeError if there are none.
    """
    check(split)
    if not folder.is_dir():
        raise MusicaeError(f"no folder {folder}; check the path given with --data")
    files = paths_in(folder, midi.SUFFIXES)
    if not files:
        raise MusicaeError(f"no MIDI files under {folder}; check the path given with --data")
    everything = windows_of(adapter, folder, files, track)
    song = songs_of(folder, files, track, {}) if by_song else {}
    return scores.subset(everything, lambda name: assign(song.get(name, name)) == split)


def windows_of(adapter: Adapter, folder: Path, files: Sequence[str], track: str) -> Windows:
    """Return the windows of MIDI files under `folder`, named by their paths from there."""
    return scores.collect(adapter, _plan(adapter, folder, files, track))


def _plan(adapter: Adapter, folder: Path, files: Sequence[str], track: str) -> Plan:
    settings = {"adapter": adapter.__dict__, "kind": type(adapter).__name__, "track": track}
    key = cache.fingerprint(files, folder, set="midi", **settings)
    batches = batched(files, [0] * len(files), scores.FILES_A_SHARD, 1)
    return Plan(f"MIDI files under {folder}", key, batches, partial(_read_files, adapter, folder, track))


def _read_files(adapter: Adapter, folder: Path, track: str, paths: Sequence[str]) -> list[Piece]:
    options = {"track": track} if track else {}
    files = [(Path(path).relative_to(folder).as_posix(), Path(path)) for path in paths]
    return [scores.read_piece(adapter, name, path, **options) for name, path in files]


def songs_of(folder: Path, files: Sequence[str], track: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return a name of the song of each file under `folder`, by the file's path from there.

    Files with the same melody (see `musicae.datasets.shared.songs`), in `track` if that is not empty, are one song, and
    so are those to which `known` gives the same name. What a song is does not depend on the adapter of a training, so
    that models of its melody, its drums and its band hold out the same songs. The name is the smallest of those that
    `known` gives, or of the files'.
    """
    names = [Path(path).relative_to(folder).as_posix() for path in files]
    labels = {name: known.get(name, name) for name in names}
    pairs = [(labels[one], labels[other]) for one, other in _alike(folder, files, names, track)]
    leader = songs.joined(list(labels.values()), pairs)
    return {name: leader[label] for name, label in labels.items()}


def _alike(folder: Path, files: Sequence[str], names: Sequence[str], track: str) -> list[tuple[str, str]]:
    """Return the pairs of files with the same melody; that is worked out once and kept."""
    adapter: Adapter = registry.build("adapters", "melody")
    plan = _plan(adapter, folder, files, track)
    path = cache.cache_folder() / "songs" / f"{plan.key}-{_VERSION}.npz"
    with contextlib.suppress(MusicaeError, KeyError, IndexError, ValueError, TypeError):  # Missing or damaged.
        return [(names[a], names[b]) for a, b in arrays.load(path, {"pairs": "i"})["pairs"].tolist()]
    windows, _ = prepared(plan, adapter.spec.shape, adapter.spec.channels)
    place = {name: number for number, name in enumerate(names)}
    own = np.array([place[name] for name in windows.names], np.int64)
    pairs = own[songs.alike(*songs.phrases(windows))]
    if len(pairs):
        logging.getLogger("musicae").warning(
            "%d of %d MIDI files under %s share a melody with another; such files stay in one split",
            len(np.unique(pairs)), len(names), folder,
        )  # fmt: skip
    with contextlib.suppress(MusicaeError):
        make_folder(path.parent)
        arrays.save({"pairs": pairs}, path)
    return [(names[a], names[b]) for a, b in pairs.tolist()]
