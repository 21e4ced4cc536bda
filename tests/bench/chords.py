"""How often the chords that are recognised are those that are annotated, in notes and in recordings.

``python tests/bench/chords.py POP909 ANNOTATIONS.zip`` takes the folder of POP909's MIDI files (``402.mid``) and an
archive of its annotations (``402/chord_midi.txt``, ``402/beat_midi.txt``). Songs 001 to 400, on which constants were
tuned, are left out. It prints the share of the time for which the root and major or minor agree (where the annotation
is one of them, or none), and the root alone. ``--rendered 14`` measures so many songs as recordings too. Where the
package chorder is installed, it is measured on the same songs, on the same beats.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from symusic import Score

from musicae.formats.music.synth import render
from musicae.ops.chords import chords as chords_of
from musicae.tensors import chords
from musicae.tensors.chord_symbols import NO_CHORD, Chord, changes, parse_chord

Spans = Sequence[tuple[float, float, Chord]]
KINDS = {"M": "", "m": "m", "o": "dim", "+": "aug", "7": "7", "M7": "maj7", "m7": "m7", "o7": "dim7", "/o7": "m7b5",
         "sus2": "sus2", "sus4": "sus4"}  # fmt: skip


def kind(chord: Chord) -> tuple[int, str]:
    """Return the root of a chord, and what counts of it: major, minor, none, or something else."""
    if chord == NO_CHORD:
        return -1, "none"
    minor = {3, 7} <= chord.intervals and 4 not in chord.intervals
    return chord.root, "minor" if minor else "major" if {4, 7} <= chord.intervals else ""


def agreement(wanted: Spans, found: Spans) -> np.ndarray:
    """Return seconds: those in which major or minor agree, those that count, those of equal roots, and all."""
    cuts = sorted({at for span in (*wanted, *found) for at in span[:2] if wanted[0][0] <= at <= wanted[-1][1]})
    seconds = np.zeros(4)
    for a, b in pairwise(cuts):
        one, other = (kind(_at(spans, (a + b) / 2)) for spans in (wanted, found))
        counts = bool(one[1])
        seconds += (b - a) * np.array([counts and one == other, counts, one[0] == other[0], 1])
    return seconds


def _at(spans: Spans, moment: float) -> Chord:
    i = int(np.searchsorted([start for start, _, _ in spans], moment, side="right")) - 1
    return spans[i][2] if i >= 0 and moment < spans[i][1] else NO_CHORD


class Song:
    """A song of POP909: its notes on the annotated beats, and the annotated chords."""

    def __init__(self, number: int, folder: Path, archive: zipfile.ZipFile) -> None:
        self.path = folder / f"{number:03}.mid"
        lines = [line.split() for line in archive.read(f"{number:03}/chord_midi.txt").decode().splitlines()]
        self.wanted = [(float(a), float(b), parse_chord(chord)) for a, b, chord in (line for line in lines if line)]
        beats = [line.split()[0] for line in archive.read(f"{number:03}/beat_midi.txt").decode().splitlines()]
        at = np.array(beats, np.float64)
        usual = float(np.diff(at).mean())
        bars = -(-int(np.ceil(at[0] / usual)) // 4) if at[0] > usual / 2 else 0
        before, after = at[0] - usual * np.arange(4 * bars, 0, -1), at[-1] + usual * np.arange(1, 5)
        self.beats = np.concatenate([before, at, after])
        tracks = [track.notes.numpy() for track in Score(self.path).to("second").tracks]
        start, length, self.pitch, self.velocity = (
            np.concatenate([track[key] for track in tracks]) for key in ("time", "duration", "pitch", "velocity")
        )
        self.start, self.end = (np.interp(t, self.beats, np.arange(len(self.beats))) for t in (start, start + length))


def recognised(song: Song) -> Spans:
    """Return the chords that musicae recognises in the notes."""
    first = np.rint(4 * song.start).astype(np.int64)
    last = np.maximum(np.rint(4 * song.end).astype(np.int64), first + 1)
    cond = chords.of_notes(first, last, song.pitch.astype(int), song.velocity.astype(int), 4 * len(song.beats))
    marks = changes(cond)
    at = np.interp([step / 4 for step, _ in marks], np.arange(len(song.beats)), song.beats)
    return list(zip(at, [*at[1:], song.beats[-1]], (chord for _, chord in marks), strict=True))


def heard(song: Song) -> Spans:
    """Return the chords that musicae recognises in a recording that is rendered of the notes."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "song.wav"
        render(song.path, wav, "the song")
        chart = chords_of(wav)
    return list(zip(chart.times[:-1], chart.times[1:], chart.chords, strict=True))


def chorder(song: Song) -> Spans:
    """Return the chords that chorder recognises in the notes."""
    from chorder import Dechorder
    from miditoolkit.midi import containers, parser

    midi, piano = parser.MidiFile(), containers.Instrument(0)
    first, last = np.rint(480 * song.start).astype(int), np.rint(480 * song.end).astype(int)
    for a, b, pitch, velocity in sorted(zip(first, last, song.pitch, song.velocity, strict=True)):
        piano.notes.append(containers.Note(int(velocity), int(pitch), int(a), int(max(b, a + 1))))
    midi.ticks_per_beat, midi.max_tick, midi.instruments = 480, 480 * len(song.beats), [piano]
    midi.time_signature_changes = [containers.TimeSignature(4, 4, 0)]
    names = [
        parse_chord("C" + KINDS[found.quality]).transposed(found.root_pc) if found.is_complete() else NO_CHORD
        for found in Dechorder.dechord(midi)
    ]
    return list(zip(song.beats[:-1], song.beats[1:], names, strict=False))


def main() -> None:
    """Print a row for each way of recognising chords."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("pop909", type=Path)
    options.add_argument("annotations", type=Path)
    options.add_argument("--every", type=int, default=1, help="only every so many songs")
    options.add_argument("--rendered", type=int, default=0, help="so many songs as recordings")
    given = options.parse_args()
    with zipfile.ZipFile(given.annotations) as archive:
        numbers = {int(name[:3]) for name in archive.namelist() if name.endswith("chord_midi.txt")}
        chosen = sorted(n for n in numbers if n > 400)[:: given.every]
        songs = [Song(n, given.pop909, archive) for n in chosen]
    ways: list[tuple[str, Callable[[Song], Spans], Sequence[Song]]] = [("musicae, notes", recognised, songs)]
    if importlib.util.find_spec("chorder"):
        ways.append(("chorder, notes", chorder, songs))
    if given.rendered:
        step = max(1, len(songs) // given.rendered)
        ways.append(("musicae, recordings", heard, songs[::step][: given.rendered]))
    print("|  | songs | root and major or minor | root |\n|---|---:|---:|---:|")  # noqa: T201
    for name, way, some in ways:
        right = np.sum([agreement(song.wanted, way(song)) for song in some], axis=0)
        print(f"| {name} | {len(some)} | {right[0] / right[1]:.3f} | {right[2] / right[3]:.3f} |")  # noqa: T201


if __name__ == "__main__":
    main()
