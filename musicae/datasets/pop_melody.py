"""Pop, rock, country and dance songs as MIDI files, each with a track named Melody."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared.corpus import Corpus, corpus_windows
from musicae.datasets.shared.split import split_of
from musicae.ranges import Seed, Share

__all__ = ["pop_melody"]

_SOURCE = "mid/data_D-Full of github.com/maxichu/MelodyTrackIdentification"


def pop_melody(
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
    """Return one split of 6,785 songs, by song; an adapter of one line reads the track named Melody.

    `grid` is the least share of a file's onsets that lie on a grid of sixteenths or triplets, and `single`, for such an
    adapter, that of the melody's onsets with one note only, where an `index.csv` says.
    """
    corpus = Corpus("pop-melody", _SOURCE, "Melody", grid, single)
    return corpus_windows(
        corpus, adapter, split, folder, partial(split_of, seed=seed, test=test, validation=validation)
    )
