"""Game music under free licences: Freedoom, OpenMSX, Planet Blupi and FreeDink."""

from __future__ import annotations

from musicae.datasets.shared.corpus import Corpus, corpus_set

__all__ = ["free_game_music"]

_SOURCE = "the music of the Debian packages freedoom, openttd-openmsx, planetblupi-music-midi and freedink-data"

free_game_music = corpus_set(__name__, Corpus("free-game-music", _SOURCE))
"""The data set: 117 files, by song."""
