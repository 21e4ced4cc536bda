"""Jazz standards, swing, bossa and big band as MIDI files; many swing, and some were played by hand."""

from __future__ import annotations

from musicae.datasets.shared.corpus import Corpus, corpus_set

__all__ = ["jazz"]

_SOURCE = "github.com/lemduc/CSCI599-TransformMusicProject"

jazz = corpus_set(__name__, Corpus("jazz", _SOURCE))
"""The data set: 662 files of jazz, collected from midkar.com, by song."""
