"""A collection of MIDI files with a name: where it lies, what is known of each file, and its splits by song."""

from __future__ import annotations

import csv
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache, scores
from musicae.datasets.shared.left_out import LeftOut
from musicae.datasets.shared.midi_folder import songs_of, windows_of
from musicae.datasets.shared.split import check, split_of
from musicae.datasets.shared.unpack import unpacked
from musicae.errors import MusicaeError
from musicae.formats.folders import paths_in
from musicae.formats.music import midi
from musicae.ranges import Seed, Share

__all__ = ["Corpus", "corpus_set", "corpus_windows"]

_ARCHIVE, _INDEX = "midi.tar.xz", "index.csv"

Rows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Corpus:
    """A collection: the `name` of its data set, where it comes from, and the name of the melody's `track` in each file.

    Files are left out whose share of onsets on a grid of sixteenths or triplets is less than `grid`, and, where the
    melody's track is read, those with a share of one note at a time less than `single`: as `index.csv` gives them.
    """

    name: str
    source: str
    track: str = ""
    grid: float = 0.0
    single: float = 0.0


def corpus_set(module: str, corpus: Corpus) -> Callable[..., Windows]:
    """Return the data set, of a module, of a corpus. It has the setting `single` if the melody's track has a name."""

    def windows(
        adapter: Adapter,
        split: str,
        folder: Path | None,
        *,
        seed: Seed = 0,
        test: Share = 0.05,
        validation: Share = 0.03,
        grid: Share = 0.8,
        single: Share = 0.95,
    ) -> Windows:
        """Return one split of the files, by song.

        `grid` is the least share of a file's onsets that lie on sixteenths or triplets, and `single` that of the
        melody's onsets with one note only, for an adapter of one line: both where an `index.csv` says.
        """
        assign = partial(split_of, seed=seed, test=test, validation=validation)
        return corpus_windows(replace(corpus, grid=grid, single=single), adapter, split, folder, assign)

    windows.__module__ = module
    windows.__name__ = windows.__qualname__ = corpus.name.replace("-", "_")
    if not corpus.track:
        whole = inspect.signature(windows, eval_str=True)
        known = [parameter for name, parameter in whole.parameters.items() if name != "single"]
        windows.__signature__ = whole.replace(parameters=known)  # type: ignore[attr-defined]
    return windows


def corpus_windows(
    corpus: Corpus, adapter: Adapter, split: str, folder: Path | None, assign: Callable[[str], str]
) -> Windows:
    """Return one split of a corpus, by song; `assign` gives the split of a name.

    `folder` holds the MIDI files or, as it is downloaded, `midi.tar.xz`, which is unpacked into the cache. Where there
    is an `index.csv` in it or beside it, files with one number in its column `song` are one song. Raise MusicaeError
    where nothing is found, or an index is damaged; a file that it does not know is used, and logged.
    """
    check(split)
    root, files = _files(corpus, folder or cache.data_folder() / corpus.name)
    rows = _index([root, folder or root, root.parent, (folder or root).parent])
    track = corpus.track if adapter.one_track else ""
    everything = windows_of(adapter, root, files, track)
    if split == "train" and rows:
        _tell_unknown(corpus, everything.names, rows)
    known = {name: f"song {row['song']}" for name, row in rows.items() if row.get("song")}
    song = songs_of(root, files, corpus.track, known)
    left_out = LeftOut(f"files of {corpus.name}")
    fit = {name for name in everything.names if _is_fit(corpus, bool(track), name, rows.get(name, {}), left_out)}
    if split == "train":
        left_out.report(len(fit))
    return scores.subset(everything, lambda name: name in fit and assign(song[name]) == split)


def _files(corpus: Corpus, folder: Path) -> tuple[Path, list[str]]:
    """Return the folder that the names in the index start from, and the paths of the MIDI files in it."""
    archive = folder / _ARCHIVE
    files = paths_in(folder, midi.SUFFIXES) if folder.is_dir() else []
    root = unpacked(archive) if not files and archive.is_file() else folder
    if (root / corpus.name).is_dir():
        root = root / corpus.name
    if root != folder:
        files = paths_in(root, midi.SUFFIXES)
    if not files:
        raise MusicaeError(
            f"no MIDI files of {corpus.name} in {folder}; get {corpus.source} and name the folder of its MIDI files "
            f"with --data {corpus.name}=DIR"
        )
    return root, files


def _index(folders: list[Path]) -> dict[str, dict[str, str]]:
    """Return the rows of the first `index.csv` in some folders, by the names of their files; none without one."""
    table = next((folder / _INDEX for folder in folders if (folder / _INDEX).is_file()), None)
    if table is None:
        return {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            found = {row["file"]: row for row in csv.DictReader(file)}
        if not found:
            raise ValueError
        return found
    except (OSError, ValueError, KeyError, csv.Error):
        raise MusicaeError(f"{table} is damaged: it needs a column 'file'; get it again, or remove it") from None


def _tell_unknown(corpus: Corpus, names: Sequence[str], rows: Rows) -> None:
    """Log how many files an index does not know, as of one that was cut off."""
    unknown = [name for name in names if name not in rows]
    if unknown:
        logging.getLogger("musicae").warning(
            "%d of %d files of %s are not in %s (%s); they are used as they are",
            len(unknown), len(names), corpus.name, _INDEX, unknown[0],
        )  # fmt: skip


def _is_fit(corpus: Corpus, single: bool, name: str, row: Mapping[str, str], left_out: LeftOut) -> bool:
    """Tell whether a file is good enough; one of which nothing is known is."""
    if _share(row, "grid") < corpus.grid:
        left_out.add("whose notes keep to no grid", name)
        return False
    if single and _share(row, "label_mono") < corpus.single:
        left_out.add("whose melody is not one note at a time", name)
        return False
    return True


def _share(row: Mapping[str, str], column: str) -> float:
    try:
        return float(row.get(column) or 1)
    except ValueError:
        return 1.0
