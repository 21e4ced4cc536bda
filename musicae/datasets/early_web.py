"""MIDI files from web sites of the 1990s: games, hymns, Irish and Israeli songs, choral and early music."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared.corpus import Corpus, corpus_windows
from musicae.datasets.shared.split import split_of
from musicae.ranges import Seed, Share

__all__ = ["early_web"]

_SOURCE = "github.com/reubenson/midi-archive"


def early_web(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    test: Share = 0.05,
    validation: Share = 0.03,
    grid: Share = 0.8,
) -> Windows:
    """Return one split of 2,293 files, half of them with drums, by song.

    `grid` is the least share of a file's onsets that lie on sixteenths or triplets, where an `index.csv` says.
    """
    corpus = Corpus("early-web", _SOURCE, grid=grid)
    return corpus_windows(
        corpus, adapter, split, folder, partial(split_of, seed=seed, test=test, validation=validation)
    )
