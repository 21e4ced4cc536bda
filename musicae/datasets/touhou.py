"""Fan transcriptions of the game music of ZUN's Touhou Project."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared.corpus import Corpus, corpus_windows
from musicae.datasets.shared.split import split_of
from musicae.ranges import Seed, Share

__all__ = ["touhou"]

_SOURCE = "github.com/AyHa1810/touhou-midi-collection"


def touhou(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    test: Share = 0.05,
    validation: Share = 0.03,
    grid: Share = 0.8,
) -> Windows:
    """Return one split of 1,065 files, by song; many tunes are there several times.

    `grid` is the least share of a file's onsets that lie on sixteenths or triplets, where an `index.csv` says.
    """
    corpus = Corpus("touhou", _SOURCE, grid=grid)
    return corpus_windows(
        corpus, adapter, split, folder, partial(split_of, seed=seed, test=test, validation=validation)
    )
