"""Karaoke, children's songs and rare scores, from the Tegridy MIDI Dataset."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared.corpus import Corpus, corpus_windows
from musicae.datasets.shared.split import split_of
from musicae.ranges import Seed, Share

__all__ = ["karaoke"]

_SOURCE = "the parts Tiny-Karaoke, Tegridy-Children-Songs and Rare-Scores of github.com/asigalov61/Tegridy-MIDI-Dataset"


def karaoke(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    test: Share = 0.05,
    validation: Share = 0.03,
    grid: Share = 0.8,
) -> Windows:
    """Return one split of 253 files, by song.

    `grid` is the least share of a file's onsets that lie on sixteenths or triplets, where an `index.csv` says.
    """
    corpus = Corpus("karaoke", _SOURCE, grid=grid)
    return corpus_windows(
        corpus, adapter, split, folder, partial(split_of, seed=seed, test=test, validation=validation)
    )
