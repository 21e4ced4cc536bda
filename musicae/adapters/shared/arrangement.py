"""Which part of a band each track of a score plays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from musicae.adapters.shared import lines
from musicae.errors import MusicaeError, did_you_mean
from musicae.formats.music import parts as score_parts
from musicae.formats.music.parts import Part
from musicae.formats.music.tracks import Tracks
from musicae.tensors.band import PARTS

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["LEAVE_OUT", "Arrangement", "arrange", "mark_parts", "written_parts"]

LEAVE_OUT = "none"
"""In place of a part: the track is left out."""

_BASS_PROGRAMS = range(32, 40)
_UNPITCHED_PROGRAMS = range(115, 128)  # Woodblock to gunshot.
_BASS_NAMES = re.compile(
    r"bass(?!oon)|\bbs\b|\bbajo\b|\bbaixo\b|\bbasso\b|контрабас|ベース|贝斯|貝斯|베이스", re.IGNORECASE
)
_MAX_BASS_PITCH = 50.0  # D3: the highest mean pitch at which the lowest line is a bass.
_MIN_SINGLE = 0.8  # The share of its notes that begin alone in a line of one voice.
_MARK = "musicae part "  # How a marker begins that tells the part of a track.
_MAX_NAMED = 8  # Tracks named in a remark.


@dataclass
class Arrangement:
    """The tracks of each part, and a remark for each choice."""

    tracks: dict[str, list[Part]] = field(default_factory=lambda: {part: [] for part in PARTS})
    remarks: list[str] = field(default_factory=list)

    def name(self, part: str) -> str:
        """Return the name of a part: that of its first track, or its own, as of chords from under a melody."""
        return next((track.name for track in self.tracks[part] if track.name), part.capitalize())


def arrange(
    available: Sequence[Part], chosen: Sequence[str] = (), written: Mapping[str, str] | None = None
) -> Arrangement:
    """Send each track of a score to a part of a band.

    1. Drum tracks are the drums.
    2. The bass is every track with a program of a bass (33 to 40 as General MIDI counts), or, if there is none, named
       so; else, of several tracks, the lowest that plays one note at a time, if its mean pitch is D3 or lower.
    3. The melody is one of the others, picked as for a tune on its own (`musicae.adapters.shared.lines.pick`).
    4. Harmony is all that is left, apart from sounds without a pitch (programs 116 to 128).

    `chosen` overrides it, track by track: ``"3=harmony"``, ``"Lead=melody"``, ``"5=none"`` (to leave a track out). A
    part to which tracks are sent has those alone, apart from harmony and drums, to which they are added. Without it,
    the parts that the file itself gives its tracks by their names, `written`, come first; harmony is what is left then.
    Raise MusicaeError for a part or a track that does not exist, and for a track that is sent to two parts.
    """
    if written and not chosen and any(track.name in written for track in available):
        return _as_written(available, written)
    made = Arrangement()
    free = list(available)
    for part, track in _sent(available, chosen):
        free.remove(track)
        if part != LEAVE_OUT:
            made.tracks[part].append(track)
    made.tracks["drums"] += [track for track in free if track.drums]
    tuned = [track for track in free if not track.drums]
    if not made.tracks["bass"]:
        made.tracks["bass"] = _basses(tuned, alone=len(tuned) < 2 and not made.tracks["melody"])
    rest = [track for track in tuned if track not in made.tracks["bass"]]
    if not made.tracks["melody"] and (pitched := [track for track in rest if _is_pitched(track)]):
        melody, why = lines.pick(pitched)
        made.tracks["melody"], made.remarks = [melody], why
    rest = [track for track in rest if track not in made.tracks["melody"]]
    made.tracks["harmony"] += [track for track in rest if _is_pitched(track)]
    made.remarks = [*_listing(made, [track for track in rest if not _is_pitched(track)]), *made.remarks]
    return made


def _as_written(available: Sequence[Part], written: Mapping[str, str]) -> Arrangement:
    made = Arrangement()
    for track in available:
        part = written.get(track.name, "harmony")
        made.tracks["drums" if track.drums else part if part != "drums" else "harmony"].append(track)
    made.remarks = _listing(made, [])
    return made


def _sent(available: Sequence[Part], chosen: Sequence[str]) -> Iterator[tuple[str, Part]]:
    """Go through what a person has chosen: the name of a part, and a track."""
    taken: dict[int, str] = {}
    for text in chosen:
        name, equals, part = text.rpartition("=")
        part = part.strip().lower()
        if not equals or not name.strip():
            raise MusicaeError(f"--part '{text}' names no track and part; write TRACK=PART, such as 3=harmony")
        if part not in (*PARTS, LEAVE_OUT):
            raise MusicaeError(f"there is no part '{part}'{did_you_mean(part, [*PARTS, LEAVE_OUT])}")
        for track in score_parts.select(available, name):
            if track.number in taken:
                raise MusicaeError(f"track {track} is sent to a part twice; name it once, with --part or --track")
            if track.drums != (part == "drums") and part != LEAVE_OUT:
                what = "drums" if track.drums else "not drums"
                raise MusicaeError(f"track {track} is {what}; it cannot be the {part}")
            taken[track.number] = part
            yield part, track


def _basses(tuned: Sequence[Part], alone: bool) -> list[Part]:
    """Return the tracks that play the bass."""
    by_program = [track for track in tuned if track.program in _BASS_PROGRAMS]
    if found := by_program or [track for track in tuned if _BASS_NAMES.search(track.name)]:
        return found
    if alone:
        return []
    voices = [(float(track.notes().pitch.mean()), track.number) for track in tuned if _is_one_voice(track)]
    lowest, number = min(voices, default=(np.inf, 0))
    return [track for track in tuned if track.number == number] if lowest <= _MAX_BASS_PITCH else []


def _is_one_voice(track: Part) -> bool:
    """Tell whether nearly all notes of a track begin alone."""
    start = track.notes().start
    return len(np.unique(start)) >= _MIN_SINGLE * len(start)


def _is_pitched(track: Part) -> bool:
    return track.program not in _UNPITCHED_PROGRAMS


def _listing(made: Arrangement, unpitched: Sequence[Part]) -> list[str]:
    """Return a remark for each part that says which tracks play it."""
    found = {part: tracks for part, tracks in made.tracks.items() if tracks}
    left_out = [f"left out, since they have no pitch: {_named(unpitched)}"] if unpitched else []
    if sum(map(len, found.values())) + len(unpitched) < 2:
        return []
    listed = [f"{part}: {_named(tracks)}" for part, tracks in found.items()]
    return [*listed, *left_out, "--part TRACK=PART sends a track to another part"]


def _named(tracks: Sequence[Part]) -> str:
    more = f" and {len(tracks) - _MAX_NAMED} more" if len(tracks) > _MAX_NAMED else ""
    return f"track{'s' * (len(tracks) > 1)} {', '.join(map(str, tracks[:_MAX_NAMED]))}{more}"


# --- markers: which part a track plays, where the rule would have it play another ------------------------------------


def written_parts(score: ScoreTick) -> dict[str, str]:
    """Return the parts of tracks by their names, as `mark_parts` has marked them."""
    found: dict[str, str] = {}
    for mark in score.markers:
        if mark.text.startswith(_MARK):
            part, _, text = mark.text.removeprefix(_MARK).partition(": ")
            with suppress(ValueError, RecursionError):  # Another program may have changed it.
                name = json.loads(text)
                if part in PARTS and isinstance(name, str):
                    found[name] = part
    return found


def mark_parts(score: ScoreTick, names: Mapping[str, str]) -> None:
    """Mark the parts of a score's tracks where `arrange` would find others; `names` are those of their tracks."""
    from symusic.core import TextMetaTick

    available = score_parts.parts(Tracks.of(score))
    found = arrange(available).tracks if available else {}
    if any({track.name for track in own} != {names.get(part)} for part, own in found.items() if part in names or own):
        for part, name in names.items():
            score.markers.append(TextMetaTick(0, f"{_MARK}{part}: {json.dumps(name)}"))
