"""Themes of films and of television as MIDI files."""

from __future__ import annotations

from musicae.datasets.shared.corpus import Corpus, corpus_set

__all__ = ["screen_themes"]

_SOURCE = "Audio/midi_songs_2 of github.com/luizcartolano2/mc906-artificial-intelligence"

screen_themes = corpus_set(__name__, Corpus("screen-themes", _SOURCE))
"""The data set: 407 files, by song."""
