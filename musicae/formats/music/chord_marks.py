"""The chord symbols that a score names: in its markers, or in the lyrics of a track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from musicae.tensors.chord_symbols import Chord, is_chord, parse_chord

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["Marks", "of_score", "of_texts"]

Marks = list[tuple[int, Chord]]
"""Chords with the ticks from where they hold, in their order."""

_MIN_CHORDS = 4
_MIN_SHARE = 0.8  # Of the texts, that are chords.
_MIN_CLEAR = 0.25  # Of the chords, that are more than a letter and a number, as names of sections are: A, B, A2.


def of_score(score: ScoreTick) -> Marks:
    """Return the chords that a score names; none where its markers and lyrics are something else.

    They are those of the markers, or of one track's lyrics, where four texts in five are chords, and one of these in
    four is more than a letter and a number: sections are named so too, and syllables may be.
    """
    return max((of_texts(texts) for texts in _texts(score)), key=len)


def _texts(score: ScoreTick) -> Iterator[list[tuple[int, str]]]:
    yield [(mark.time, mark.text) for mark in score.markers if not mark.text.startswith("musicae ")]
    for track in score.tracks:
        yield [(syllable.time, syllable.text) for syllable in track.lyrics]


def of_texts(texts: Sequence[tuple[int, str]]) -> Marks:
    """Return the chords of texts with their ticks, if these are chords; see `of_score`."""
    named = [(tick, text.strip()) for tick, text in texts if text.strip()]
    found = [(tick, text) for tick, text in named if is_chord(text)]
    clear = sum(1 for _, text in found if text.rstrip("0123456789")[1:])
    if len(found) < max(_MIN_CHORDS, _MIN_SHARE * len(named)) or clear < _MIN_CLEAR * len(found):
        return []
    marks = {tick: parse_chord(text) for tick, text in found}
    return sorted(marks.items(), key=lambda mark: mark[0])
