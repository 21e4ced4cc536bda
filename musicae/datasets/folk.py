"""The folk tunes in ABC that come with the package music21: Essen, O'Neill, Aird, Ryan's Mammoth.

About 12,800 tunes. See music21's ``corpus/license.txt`` for their terms.
"""

from __future__ import annotations

import importlib.util
import io
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache, scores
from musicae.datasets.shared.prepare import Plan, batched
from musicae.datasets.shared.shards import Piece
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError
from musicae.formats.folders import files_in
from musicae.formats.music import abc
from musicae.ranges import Seed, Share

__all__ = ["folk"]

_MOST_BOOKS, _MOST_BYTES = 128, 2**18  # Files that are prepared together, and their size.
_MANY = 500  # Files.
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
    batches = batched(files, list(map(cache.size_of, files)), _MOST_BOOKS, _MOST_BYTES)
    everything = scores.collect(adapter, Plan("folk tunes", key, batches, partial(_read_books, adapter), many=_MANY))
    return scores.subset(everything, lambda name: split_of(name, seed, test, validation) == split)


def _corpus() -> Path:
    module = importlib.util.find_spec("music21")
    if module is None or module.origin is None:
        raise MusicaeError("the data set 'folk' needs the package music21; run: pip install 'musicae[folk]'")
    return Path(module.origin).parent / "corpus"


def _read_books(adapter: Adapter, paths: Sequence[Path]) -> list[Piece]:
    """Return the windows of every tune in some ABC files; a tune that cannot be read is left out."""
    found: list[tuple[str, bytes]] = []
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, tune in enumerate(re.split(r"(?m)^(?=X:)", text)[1:]):
            title = re.search(r"(?m)^T:\s*(.+)$", tune)
            name = re.sub(r"\W+", " ", title[1]).strip().lower() if title else f"{path.stem} {number}"
            found.append((name, tune.encode()))
    with abc.converted([tune for _, tune in found]):
        return [scores.read_piece(adapter, name, io.BytesIO(tune)) for name, tune in found]
