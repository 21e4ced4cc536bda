"""Karaoke, children's songs and rare scores, from the Tegridy MIDI Dataset."""

from __future__ import annotations

from musicae.datasets.shared.corpus import Corpus, corpus_set

__all__ = ["karaoke"]

_SOURCE = "the parts Tiny-Karaoke, Tegridy-Children-Songs and Rare-Scores of github.com/asigalov61/Tegridy-MIDI-Dataset"

karaoke = corpus_set(__name__, Corpus("karaoke", _SOURCE))
"""The data set: 253 files, by song."""
