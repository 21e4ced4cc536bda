"""Public-domain songs that the program MMA (Musical MIDI Accompaniment) arranged in many styles."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared.corpus import Corpus, corpus_windows
from musicae.datasets.shared.split import split_of
from musicae.ranges import Seed, Share

__all__ = ["mma_bands"]

_SOURCE = "lead sheets of OpenEWLD, have the program mma arrange them with the melody as a track named Melody,"


def mma_bands(
    adapter: Adapter, split: str, folder: Path | None, *, seed: Seed = 0, test: Share = 0.05, validation: Share = 0.03
) -> Windows:
    """Return one split of arrangements made by rule, by song; an adapter of one line reads the track named Melody.

    The drums of a style repeat few patterns: they are not enough to train a model of drums on.
    """
    corpus = Corpus("mma-bands", _SOURCE, "Melody")
    return corpus_windows(
        corpus, adapter, split, folder, partial(split_of, seed=seed, test=test, validation=validation)
    )
