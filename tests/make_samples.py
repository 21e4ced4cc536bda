"""Writes the sample files of data/ from the transcriptions below: ``python tests/make_samples.py [FOLDER]``.

The tunes are in the public domain (traditional, or their composers died before 1830); the transcriptions,
the arrangements, the grooves and the pictures are the project's own.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import mido
import numpy as np
import PIL.Image

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
BAND_CHORDS = "A3 C4 E4 | F3 A3 C4 | C4 E4 G4 | G3 B3 D4 | A3 C4 E4 | F3 A3 C4 | G3 B3 D4 | C4 E4 G4"
BAND_BASS = "A2 E2 | F2 C3 | C3 G2 | G2 D3 | A2 E2 | F2 C3 | G2 D3 | C3 G2"
SAINTS = """
    r:1 C4:1 E4:1 F4:1
    G4:4  r:1 C4:1 E4:1 F4:1  G4:4  r:1 C4:1 E4:1 F4:1
    G4:2 E4:2  C4:2 E4:2  D4:4  r:1 E4:1 E4:1 D4:1
    C4:3 C4:1  E4:2 G4:1 G4:1  F4:4  r:2 E4:1 F4:1
    G4:2 E4:2  C4:2 D4:2  C4:4  r:4
"""
SAINTS_CHORDS = """
    r | C4 E4 G4 | C4 E4 G4 | C4 E4 G4 | C4 E4 G4 | C4 E4 G4 | C4 E4 G4 | B3 D4 F4 | B3 D4 F4
    | C4 E4 G4 | C4 E4 Bb3 | C4 F4 A3 | C4 F4 A3 | C4 E4 G3 | B3 D4 F4 | C4 E4 G4 | C4 E4 G4
"""
SAINTS_BASS = "r r | C3 G2 | C3 G2 | C3 G2 | C3 G2 | C3 B2 | A2 C3 | G2 D3 | G2 B2 | C3 G2 | C3 Bb2 | A2 F2 | F2 F#2 | \
G2 C3 | G2 B2 | C3 G2 | C3 C3"
KOROBEINIKI = """
    E5:1 B4:0.5 C5:0.5 D5:1 C5:0.5 B4:0.5  A4:1 A4:0.5 C5:0.5 E5:1 D5:0.5 C5:0.5
    B4:1.5 C5:0.5 D5:1 E5:1  C5:1 A4:1 A4:2
    r:0.5 D5:1 F5:0.5 A5:1 G5:0.5 F5:0.5  E5:1.5 C5:0.5 E5:1 D5:0.5 C5:0.5
    B4:1 B4:0.5 C5:0.5 D5:1 E5:1  C5:1 A4:1 A4:1 r:1
    E5:2 C5:2  D5:2 B4:2  C5:2 A4:2  G#4:2 B4:1 r:1
    E5:2 C5:2  D5:2 B4:2  C5:1 E5:1 A5:2  G#5:3 r:1
"""
KOROBEINIKI_CHORDS = """
    B3 E4 G#4 | A3 C4 E4 | B3 E4 G#4 | A3 C4 E4 | A3 D4 F4 | G3 C4 E4 | B3 E4 G#4 | A3 C4 E4
    | A3 C4 E4 | B3 E4 G#4 | A3 C4 E4 | B3 E4 G#4 | A3 C4 E4 | B3 E4 G#4 | A3 C4 E4 | B3 E4 G#4
"""
KOROBEINIKI_BASS = "E2 B2 | A2 E2 | E2 B2 | A2 E2 | D2 A2 | C2 G2 | E2 B2 | A2 E2 | A2 E2 | E2 B2 | A2 E2 | E2 B2 | \
A2 E2 | E2 B2 | A2 E2 | E2 E2"

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
MARCH = {
    36: "8.......7.......",
    38: "....7..3....7.33",
    42: "5.4.6.4.5.4.6.4.",
}

# Digits: strokes through points (x, y) in a square of 20, an arc as (x, y, radius, from, to) in degrees clockwise.
THREE = [(9.5, 5, 4.8, -150, 85), (9.2, 14.2, 5.4, -85, 145)]
SEVEN = [[(3, 3.5), (16, 2.5), (12, 9), (9, 19)]]


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


def bars_of(text: str, places: list[float], length: float, velocity: int) -> list[tuple[float, float, int, int]]:
    """Return notes of bars of 4/4, divided by ``|``, whose pitches sound together at each of `places`."""
    notes = []
    for bar, names in enumerate(text.split("|")):
        for place in places:
            at = 4 * bar + place
            notes += [(at, at + length, pitch(name), velocity) for name in names.split() if name != "r"]
    return notes


def in_turn(text: str, velocity: int) -> list[tuple[float, float, int, int]]:
    """Return notes of bars of 4/4, divided by ``|``, each of two notes, one after the other."""
    notes = []
    for bar, names in enumerate(text.split("|")):
        for half, name in enumerate(names.split()):
            if name != "r":
                notes.append((4 * bar + 2 * half, 4 * bar + 2 * half + 1.5, pitch(name), velocity))
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


def digit(strokes: list, size: int = 28, radius: float = 1.35) -> np.ndarray:
    """Return a digit ``(size, size)``, white on black with soft edges, its centre of mass in the middle."""
    points = []
    for stroke in strokes:
        if isinstance(stroke, tuple):
            x, y, r, first, last = stroke
            angles = np.radians(np.linspace(first, last, 100))
            points.append(np.stack([x + r * np.cos(angles), y + r * np.sin(angles)], 1))
        else:
            corners = np.asarray(stroke, float)
            points += [np.linspace(a, b, 60) for a, b in itertools.pairwise(corners)]
    line = np.concatenate(points)
    places = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1) + 0.5
    shift = np.zeros(2)
    for _ in range(3):  # The ink is where the line is, but not quite evenly.
        away = np.sqrt(((places[:, :, None] - (line + shift)) ** 2).sum(-1)).min(-1)
        ink = np.clip(radius - away + 0.5, 0, 1)
        shift = shift + size / 2 - (ink[..., None] * places).sum((0, 1)) / ink.sum()
    return np.round(255 * ink).astype(np.uint8)


def scene(width: int = 160, height: int = 120) -> np.ndarray:
    """Return a landscape ``(height, width, 3)``: a sky that fades, a sun, grassy hills, a house with a fence."""
    y, x = np.mgrid[0:height, 0:width].astype(float) + 0.5
    grain = np.modf(np.abs(np.sin(x * 12.9898 + y * 78.233) * 43758.5453))[0] - 0.5

    def paint(shape: np.ndarray, colour: tuple[float, ...], texture: np.ndarray | float = 0.0) -> None:
        """Put `colour` on where `shape`, a distance in pixels, is below zero; the edge is a pixel wide."""
        cover = np.clip(0.5 - shape, 0, 1)[..., None]
        picture[:] = picture * (1 - cover) + (np.asarray(colour) + np.multiply.outer(texture, np.ones(3))) * cover

    def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
        return np.maximum.reduce([left - x, x - right, top - y, y - bottom])

    fade = (y / height)[..., None]
    picture = (1 - fade) * np.array([70.0, 130, 200]) + fade * np.array([235.0, 225, 205])
    paint(np.hypot(x - 124, y - 26) - 11, (255, 244, 190))
    far = 66 + 9 * np.sin(x / 21) + 4 * np.sin(x / 7.3 + 1)
    paint(far - y, (96, 122, 140), 14 * np.sin(x / 1.9 + y / 3.1))
    near = 84 + 7 * np.sin(x / 30 + 2)
    paint(near - y, (78, 128, 58), 42 * grain + 10 * np.sin(x * 0.9 + 3 * np.sin(y / 4)))
    paint(box(34, 58, 78, 96), (176, 84, 66), 16.0 * (((y % 4) < 0.6) | ((x + 3 * (y // 4 % 2)) % 6 < 0.6)))
    paint(np.maximum(np.abs(x - 56) * 0.75 - (y - 38), y - 58), (92, 52, 48), 12 * np.sin(y * 1.6))
    for left in (39.5, 63.5):
        paint(box(left, 66, left + 9, 76), (240, 226, 150))
        paint(box(left + 4, 66, left + 5, 76), (60, 44, 40))
        paint(box(left, 70.5, left + 9, 71.5), (60, 44, 40))
    paint(box(52, 78, 60, 96), (66, 44, 36))
    for post in range(86, 158, 6):
        paint(box(post, 88, post + 2, 104), (238, 234, 226))
    paint(box(85, 92, 157, 94), (238, 234, 226))
    return np.round(np.clip(picture, 0, 255)).astype(np.uint8)


def make(folder: Path) -> None:
    """Write every sample file into `folder`."""
    PIL.Image.fromarray(digit(THREE)).save(folder / "three.png", optimize=True)
    PIL.Image.fromarray(digit(SEVEN)).save(folder / "seven.png", optimize=True)
    PIL.Image.fromarray(scene()).save(folder / "scene.png", optimize=True)
    noisy = scene() + np.random.default_rng(0).normal(0, 25, (120, 160, 3))
    PIL.Image.fromarray(np.round(np.clip(noisy, 0, 255)).astype(np.uint8)).save(folder / "noisy-scene.png")
    common = [(0.0, 4, 4)]
    save(folder / "twinkle.mid", "Twinkle", 100, common, [track("Melody", line(TWINKLE), 0, 0)])
    save(folder / "ode-to-joy.mid", "Ode to Joy", 112, common, [track("Melody", line(ODE), 0, 40)])
    greensleeves = track("Melody", line(GREENSLEEVES), 0, 73)
    save(folder / "greensleeves.mid", "Greensleeves", 84, [(0.0, 1, 8), (0.5, 6, 8)], [greensleeves])
    band = [
        track("Bass", in_turn(BAND_BASS, 76), 2, 33),
        track("Chords", bars_of(BAND_CHORDS, [0.0, 2.0], 1.75, 58), 1, 4),
        track("Lead melody", line(BAND_TUNE, 92), 0, 80),
        track("Drums", grid(ROCK, 8), 9, 0),
    ]
    save(folder / "band.mid", "Band", 104, common, band)
    saints = [
        track("Trumpet", line(SAINTS, 92), 0, 56),
        track("Piano", bars_of(SAINTS_CHORDS, [1.0, 3.0], 0.75, 60), 1, 0),
        track("Bass", in_turn(SAINTS_BASS, 78), 2, 32),
        track("Drums", grid(MARCH, 17), 9, 0),
    ]
    save(folder / "saints.mid", "When the Saints", 132, common, saints)
    korobeiniki = [
        track("Accordion", line(KOROBEINIKI, 92), 0, 21),
        track("Strings", bars_of(KOROBEINIKI_CHORDS, [0.0], 3.75, 54), 1, 48),
        track("Bass", in_turn(KOROBEINIKI_BASS, 80), 2, 33),
        track("Drums", grid(ROCK, 16), 9, 0),
    ]
    save(folder / "korobeiniki.mid", "Korobeiniki", 120, common, korobeiniki)
    save(folder / "rock.mid", "Rock", 108, common, [track("Drums", grid(ROCK, 2), 9, 0)])
    save(folder / "bossa.mid", "Bossa", 132, common, [track("Drums", grid(BOSSA, 4), 9, 0)])


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "data")
