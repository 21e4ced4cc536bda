"""Pop, rock, country and dance songs as MIDI files, each with a track named Melody."""

from __future__ import annotations

from musicae.datasets.shared.corpus import Corpus, corpus_set

__all__ = ["pop_melody"]

_SOURCE = "mid/data_D-Full of github.com/maxichu/MelodyTrackIdentification"

pop_melody = corpus_set(__name__, Corpus("pop-melody", _SOURCE, "Melody"))
"""The data set: 6,785 songs, by song; an adapter of one line reads the track named Melody."""
