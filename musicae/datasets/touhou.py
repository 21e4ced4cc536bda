"""Fan transcriptions of the game music of ZUN's Touhou Project."""

from __future__ import annotations

from musicae.datasets.shared.corpus import Corpus, corpus_set

__all__ = ["touhou"]

_SOURCE = "github.com/AyHa1810/touhou-midi-collection"

touhou = corpus_set(__name__, Corpus("touhou", _SOURCE))
"""The data set: 1,065 files, by song; many tunes are there several times."""
