"""Writes the sample files of data/ from the transcriptions below: ``python tests/make_samples.py [FOLDER]``.

The tunes are in the public domain (traditional, or their composers died before 1830); the transcriptions, the
arrangement of band.mid and the grooves are the project's own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import mido

TICKS = 480
NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

# A note is NAME[#|b]OCTAVE:QUARTERS, r a rest. C4 is middle C.
TWINKLE = """
    C4:1 C4:1 G4:1 G4:1  A4:1 A4:1 G4:2  F4:1 F4:1 E4:1 E4:1  D4:1 D4:1 C4:2
    G4:1 G4:1 F4:1 F4:1  E4:1 E4:1 D4:2  G4:1 G4:1 F4:1 F4:1  E4:1 E4:1 D4:2
"""
ODE = """
    F#4:1 F#4:1 G4:1 A4:1  A4:1 G4:1 F#4:1 E4:1  D4:1 D4:1 E4:1 F#4:1  F#4:1.5 E4:0.5 E4:2
    F#4:1 F#4:1 G4:1 A4:1  A4:1 G4:1 F#4:1 E4:1  D4:1 D4:1 E4:1 F#4:1  E4:1.5 D4:0.5 D4:2
"""
GREENSLEEVES = """
    A4:0.5
    C5:1 D5:0.5 E5:0.75 F5:0.25 E5:0.5  D5:1 B4:0.5 G4:0.75 A4:0.25 B4:0.5
    C5:1 A4:0.5 A4:0.75 G#4:0.25 A4:0.5  B4:1 G#4:0.5 E4:1 A4:0.5
    C5:1 D5:0.5 E5:0.75 F5:0.25 E5:0.5  D5:1 B4:0.5 G4:0.75 A4:0.25 B4:0.5
    C5:0.75 B4:0.25 A4:0.5 G#4:0.75 F#4:0.25 G#4:0.5  A4:1.5 A4:1
"""
BAND_TUNE = """
    E5:1 D5:0.5 C5:0.5 A4:1 r:0.5 G4:0.5  A4:0.5 C5:0.5 D5:1 C5:1.5 r:0.5
    E5:1 G5:0.5 E5:0.5 D5:1 r:0.5 C5:0.5  D5:0.5 E5:0.5 D5:1 C5:2
    E5:1 D5:0.5 C5:0.5 A4:1 r:0.5 G4:0.5  A4:0.5 C5:0.5 E5:1 D5:1.5 r:0.5
    G5:0.5 E5:0.5 D5:0.5 C5:0.5 D5:1 A4:1  C5:4
"""
BAND_CHORDS = ["A3 C4 E4", "F3 A3 C4", "C4 E4 G4", "G3 B3 D4", "A3 C4 E4", "F3 A3 C4", "G3 B3 D4", "C4 E4 G4"]
BAND_BASS = ["A2 E2", "F2 C3", "C3 G2", "G2 D3", "A2 E2", "F2 C3", "G2 D3", "C3 G2"]

# Drums: one line a voice, a character a sixteenth: . nothing, 1..9 the velocity in steps of 14.
ROCK = {
    36: "8...5...8.5.....8...5...8.5...5.",
    38: "....8.......8......2....8..2...8",
    42: "7.5.7.5.7.5.7.5.7.5.7.5.7.5.7...",
    46: "..............................7.",
    49: "8...............................",
}
BOSSA = {
    36: "7..57..57..57..57..57..57..57..5",
    37: "6..6..6...6..6..6..6..6...6..6..",
    42: "54545454545454545454545454545454",
}


def pitch(name: str) -> int:
    """Return the MIDI pitch of a name such as F#4."""
    octave = int(name[-1])
    return 12 * (octave + 1) + NAMES[name[0]] + name.count("#") - name[1:].count("b")


def line(text: str, velocity: int = 84, at: float = 0.0) -> list[tuple[float, float, int, int]]:
    """Return notes ``(start, end, pitch, velocity)`` in quarters from the notation above."""
    notes = []
    for token in text.split():
        name, quarters = token.split(":")
        end = at + float(quarters)
        if name != "r":
            notes.append((at, end, pitch(name), velocity + (8 if at % 4 == 0 else 0)))
        at = end
    return notes


def grid(voices: dict[int, str], bars: int) -> list[tuple[float, float, int, int]]:
    """Return drum notes in quarters, the pattern repeated to fill `bars` bars."""
    notes = []
    for note, pattern in voices.items():
        for step in range(16 * bars):
            level = pattern[step % len(pattern)]
            if level != ".":
                notes.append((step / 4, step / 4 + 0.25, note, 14 * int(level)))
    return notes


def track(name: str, notes: list[tuple[float, float, int, int]], channel: int, program: int) -> mido.MidiTrack:
    """Return a MIDI track of notes."""
    events = []
    for start, end, note, velocity in notes:
        events.append((round(start * TICKS), 1, mido.Message("note_on", channel=channel, note=note, velocity=velocity)))
        events.append((round(end * TICKS), 0, mido.Message("note_off", channel=channel, note=note, velocity=0)))
    result = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    result.append(mido.Message("program_change", channel=channel, program=program))
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        result.append(message.copy(time=tick - now))
        now = tick
    return result


def save(
    path: Path, title: str, bpm: float, meters: list[tuple[float, int, int]], tracks: list[mido.MidiTrack]
) -> None:
    """Write a type-1 file with a conductor track; `meters` are ``(quarters, numerator, denominator)``."""
    conductor = mido.MidiTrack([mido.MetaMessage("track_name", name=title)])
    conductor.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)))
    now = 0
    for quarters, n, d in meters:
        tick = round(quarters * TICKS)
        conductor.append(mido.MetaMessage("time_signature", numerator=n, denominator=d, time=tick - now))
        now = tick
    mido.MidiFile(type=1, ticks_per_beat=TICKS, tracks=[conductor, *tracks]).save(path)


def make(folder: Path) -> None:
    """Write every sample file into `folder`."""
    common = [(0.0, 4, 4)]
    save(folder / "twinkle.mid", "Twinkle", 100, common, [track("Melody", line(TWINKLE), 0, 0)])
    save(folder / "ode-to-joy.mid", "Ode to Joy", 112, common, [track("Melody", line(ODE), 0, 40)])
    greensleeves = track("Melody", line(GREENSLEEVES), 0, 73)
    save(folder / "greensleeves.mid", "Greensleeves", 84, [(0.0, 1, 8), (0.5, 6, 8)], [greensleeves])
    chords = [
        (4 * bar + half, 4 * bar + half + 1.75, pitch(name), 58)
        for bar, names in enumerate(BAND_CHORDS)
        for half in (0.0, 2.0)
        for name in names.split()
    ]
    bass = [
        (4 * bar + 2 * half, 4 * bar + 2 * half + 1.5, pitch(name), 76)
        for bar, names in enumerate(BAND_BASS)
        for half, name in enumerate(names.split())
    ]
    band = [
        track("Bass", bass, 2, 33),
        track("Chords", chords, 1, 4),
        track("Lead melody", line(BAND_TUNE, 92), 0, 80),
        track("Drums", grid(ROCK, 8), 9, 0),
    ]
    save(folder / "band.mid", "Band", 104, common, band)
    save(folder / "rock.mid", "Rock", 108, common, [track("Drums", grid(ROCK, 2), 9, 0)])
    save(folder / "bossa.mid", "Bossa", 132, common, [track("Drums", grid(BOSSA, 4), 9, 0)])


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "data")
