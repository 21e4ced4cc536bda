"""The folk tunes in ABC that come with the package music21: Essen, O'Neill, Aird, Ryan's Mammoth.

About 12,800 tunes. See music21's ``corpus/license.txt`` for their terms.
"""

from __future__ import annotations

import importlib.util
import io
import re
from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache, scores
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError
from musicae.formats.folders import files_in
from musicae.formats.music import abc
from musicae.ranges import Seed, Share

__all__ = ["folk"]

_BOOKS = ("essenFolksong", "oneills1850", "airdsAirs", "ryansMammoth")


def folk(
    adapter: Adapter, split: str, folder: Path | None, *, seed: Seed = 0, test: Share = 0.05, validation: Share = 0.03
) -> Windows:
    """Return one split of the tunes. They are split by title, so that variants of a tune stay together.

    `folder` may name another folder of ABC files. Raise MusicaeError if music21 is not installed.
    """
    check(split)
    root = folder or _corpus()
    files = [path for path in files_in(root, [".abc"]) if folder or path.parent.name in _BOOKS]
    if not files:
        raise MusicaeError(f"no ABC files under {root}; check the path given with --data")
    key = cache.fingerprint(files, root, set="folk", adapter=adapter.__dict__, kind=type(adapter).__name__)

    def make() -> Windows:
        read = partial(_read_book, adapter)
        return scores.collect(adapter, scores.read_all(read, files), "folk tunes")

    everything = cache.cached(key, make)
    return scores.subset(everything, lambda name: split_of(name, seed, test, validation) == split)


def _corpus() -> Path:
    module = importlib.util.find_spec("music21")
    if module is None or module.origin is None:
        raise MusicaeError("the data set 'folk' needs the package music21; run: pip install 'musicae[folk]'")
    return Path(module.origin).parent / "corpus"


def _read_book(adapter: Adapter, path: Path) -> list[scores.Piece]:
    """Return the windows of every tune in an ABC file; a tune that cannot be read is skipped."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found, tunes = re.split(r"(?m)^(?=X:)", text)[1:], []
    with abc.converted([tune.encode() for tune in found]):
        for number, tune in enumerate(found):
            title = re.search(r"(?m)^T:\s*(.+)$", tune)
            name = re.sub(r"\W+", " ", title[1]).strip().lower() if title else f"{path.stem} {number}"
            tunes.append(scores.read_piece(adapter, name, io.BytesIO(tune.encode())))
    return tunes
