"""Which tracks of a score are its drums, and which of their notes have a class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musicae.errors import OTHER_TRACK, WITH_PRESET, MusicaeError, line_of
from musicae.formats.music import parts as score_parts
from musicae.formats.music.percussion import CLASS_OF, share_in_kit

__all__ = ["MIN_DRUMS", "choose", "choose_parts"]

MIN_DRUMS = 0.9
"""A MIDI file with at least this share of its notes on the drum channel counts as drums."""

_MAX_KIT, _MIN_TOGETHER = 16, 0.05  # Pitches of a kit in use; share of the hits that fall on another.


def choose_parts(
    available: Sequence[score_parts.Part], track: str | int | None
) -> tuple[list[score_parts.Part], list[str]]:
    """Return the drum tracks, with remarks. `track` is a track's number or name; None takes all of them.

    Raise MusicaeError where there are none.
    """
    if not available:
        raise MusicaeError("it has no notes; give a file with drums")
    if track is not None:
        available = score_parts.select(available, track)
    chosen, remarks = [part for part in available if part.drums], []
    if not chosen and len(available) == 1 and _is_kit(available[0]):
        # It was asked for: that it is on another channel does not matter.
        chosen, remarks = list(available), [f"track {available[0]} is not on channel 10; it was read as drums"]
    if not chosen:
        what = "it has no drums" if track is None else f"track {available[0]} is not drums"
        raise MusicaeError(line_of(f"{what}; choose a preset for melodies ", WITH_PRESET))
    if len(chosen) > 1:
        remarks.append(f"the {len(chosen)} drum tracks were merged")
    return chosen, remarks


def choose(available: Sequence[score_parts.Part], track: str | int | None) -> tuple[str, score_parts.Notes, list[str]]:
    """Return the name of the drum track, its notes that have a class, and remarks; see `choose_parts`."""
    chosen, remarks = choose_parts(available, track)
    notes = score_parts.merge(chosen)
    known = CLASS_OF[notes.pitch] >= 0
    if not np.any(known):
        raise MusicaeError(line_of("its drum track has no General MIDI percussion (27..87); ", OTHER_TRACK))
    if not np.all(known):
        remarks.append(f"{np.count_nonzero(~known)} note(s) are not percussion (27..87) and were left out")
    return chosen[0].name, score_parts.Notes(*(a[known] for a in notes)), remarks


def _is_kit(part: score_parts.Part) -> bool:
    """Tell whether a part sounds like a drum kit: few pitches, (almost) all of the kit's, some struck together.

    A bass line has such pitches too, but one after another.
    """
    start, _, pitch, *_ = part.notes()
    inside = share_in_kit(pitch) >= MIN_DRUMS
    together = len(start) - len(np.unique(start)) >= _MIN_TOGETHER * len(start)
    return bool(inside and together and len(np.unique(pitch)) <= _MAX_KIT)
