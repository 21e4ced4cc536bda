"""MIDI files from web sites of the 1990s: games, hymns, Irish and Israeli songs, choral and early music."""

from __future__ import annotations

from musicae.datasets.shared.corpus import Corpus, corpus_set

__all__ = ["early_web"]

_SOURCE = "github.com/reubenson/midi-archive"

early_web = corpus_set(__name__, Corpus("early-web", _SOURCE))
"""The data set: 2,293 files, half of them with drums, by song."""
