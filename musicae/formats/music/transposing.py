"""Scores moved to another key, whatever is not drums."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from musicae.errors import MusicaeError
from musicae.formats.music import parts as score_parts
from musicae.formats.music.tracks import Tracks

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["MOST", "check_semitones", "transpose_keys", "transposed"]

MOST = 24
"""By how many semitones music is transposed at most, up or down."""


def check_semitones(semitones: int) -> None:
    """Raise MusicaeError for a transposition by more than two octaves."""
    if not -MOST <= semitones <= MOST:
        raise MusicaeError(f"--transpose must be -{MOST} to {MOST} semitones, not {semitones}")


def transposed(tracks: Tracks, semitones: int) -> Tracks:
    """Return tracks so many semitones higher, apart from drums; notes that leave MIDI's pitches go an octave back."""
    pitch = tracks.pitch.copy()
    for part in score_parts.parts(tracks):
        for i in () if part.drums else part.tracks:
            pitch[tracks.tracks[i].span] += semitones
    pitch += 12 * (-(np.minimum(pitch, 0) // 12) - np.maximum(pitch - 116, 0) // 12)
    return replace(tracks, pitch=pitch)


def transpose_keys(score: ScoreTick, semitones: int) -> None:
    """Change the key signatures of a score alike, to those with the fewest sharps or flats."""
    for signature in score.key_signatures:
        signature.key = (signature.key + 7 * semitones + 5) % 12 - 5
