"""The fixture `make_midi` for the tests of several folders: it writes small MIDI files, by mido alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mido
import pytest

MakeMidi = Callable[..., Path]


def _events(notes: Sequence[tuple[Any, ...]], channel: int, tpq: int) -> list[tuple[int, int, mido.Message]]:
    events = []
    for start, length, pitch, *velocity in notes:
        on, off = round(start * tpq), round((start + length) * tpq)
        loud = velocity[0] if velocity else 80
        events.append((on, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=loud)))
        events.append((off, 1, mido.Message("note_off", channel=channel, note=pitch, velocity=0)))
    return events


def _track(name: str, events: list[tuple[int, int, Any]]) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)] if name else [])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


@pytest.fixture
def make_midi(tmp_path: Path) -> MakeMidi:
    """Return a function that writes a MIDI file.

    Tracks are ``{"notes": [(start, length, pitch, velocity=80), ...], "name", "channel", "programs": [(at, n)]}``,
    all times in quarters; `meters` are ``(at, numerator, denominator)``, `tempos` ``(at, microseconds)``.
    """

    def make(
        *tracks: dict[str, Any],
        meters: Sequence[tuple[float, int, int]] = (),
        tempos: Sequence[tuple[float, int]] = (),
        kind: int = 1,
        tpq: int = 480,
        name: str = "song.mid",
        charset: str = "latin-1",
    ) -> Path:
        conductor: list[tuple[int, int, Any]] = [
            (round(at * tpq), 0, mido.MetaMessage("time_signature", numerator=n, denominator=d)) for at, n, d in meters
        ]
        conductor += [(round(at * tpq), 0, mido.MetaMessage("set_tempo", tempo=tempo)) for at, tempo in tempos]
        written = [] if kind == 2 else [_track("", conductor)]
        for track in tracks:
            channel = track.get("channel", 0)
            events = _events(track["notes"], channel, tpq)
            for at, program in track.get("programs", ()):
                events.append((round(at * tpq), 0, mido.Message("program_change", channel=channel, program=program)))
            written.append(_track(track.get("name", ""), events))
        path = tmp_path / name
        mido.MidiFile(type=kind, ticks_per_beat=tpq, tracks=written, charset=charset).save(path)
        return path

    return make
