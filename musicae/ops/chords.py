"""The chords of a piece, bar by bar, and its key: of a file of notes or of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musicae import registry
from musicae.adapters.band import Band
from musicae.adapters.shared.origin import Origin, named_chords
from musicae.core import Adapter, File, Roll, Source
from musicae.errors import MusicaeError
from musicae.formats.music.transposing import check_semitones
from musicae.ops.choose import head_of
from musicae.ops.inputs import as_file, check_file, name_of
from musicae.ops.keys import key_of_rolls
from musicae.plots import bar_lines
from musicae.tensors import chord_symbols, recorded
from musicae.tensors.chord_symbols import NO_CHORD, Chord, name
from musicae.tensors.musical import key_name, key_of

__all__ = ["Chart", "chords"]

_FLAT_KEYS = {False: (5, 10, 3, 8, 1), True: (2, 7, 0, 5, 10, 3)}  # The tonics of flat keys, major and minor.


@dataclass(frozen=True)
class Chart:
    """The chords of a piece, beat by beat.

    Parameters
    ----------
    chords : the chord of each of N beats.
    bars : the beats, from 0, with which bars begin; the first bar has number `first`.
    times : when each beat begins, and the last one ends, in seconds of the file: N + 1 numbers.
    tonic, minor : the key, and whether it is minor; the tonic is -1 where none is clear.
    tempo : beats a minute (of a file of notes: quarter notes), at the start.
    meter : such as ``"4/4"``; empty for a recording.
    source : where the chords are from: ``"notes"``, ``"melody"`` (that has none, but they would fit it),
        ``"symbols"`` (the file names them) or ``"sound"``.
    rolls : the piano rolls of the parts of a file of notes; none for a recording.
    chroma : how much each pitch class sounds in each beat of a recording, ``(12, N)``.
    """

    chords: list[Chord]
    bars: list[int]
    times: list[float]
    tonic: int
    minor: bool
    tempo: float
    meter: str
    source: str
    first: int = 1
    rolls: list[Roll] = field(default_factory=list)
    chroma: NDArray[np.float64] | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def flats(self) -> bool | None:
        """Whether chords are spelled with flats; None, as is most usual, where there is no key."""
        return self.tonic in _FLAT_KEYS[self.minor] if self.tonic >= 0 else None

    @property
    def key(self) -> str:
        """The key, such as ``"F major"``, empty where none is clear."""
        return key_name(self.tonic, self.minor) if self.tonic >= 0 else ""

    def bar_texts(self) -> list[str]:
        """Return the chords of each bar as `musicae.tensors.chord_symbols.parse` reads them."""
        ends = [*self.bars[1:], len(self.chords)]
        return chord_symbols.written([self.chords[a:b] for a, b in zip(self.bars, ends, strict=True)], self.flats)

    def names(self) -> list[tuple[int, str]]:
        """Return the name of each chord with the beat, from 0, where it begins."""
        begin = [i for i, chord in enumerate(self.chords) if not i or chord != self.chords[i - 1]]
        return [(i, name(self.chords[i], self.flats)) for i in begin]

    def spans(self) -> list[dict[str, Any]]:
        """Return each chord with its bar and beat, from 1, and when it begins and ends, in seconds."""
        names, found = self.names(), []
        for (i, symbol), (end, _) in zip(names, [*names[1:], (len(self.chords), "")], strict=True):
            bar = int(np.searchsorted(self.bars, i, side="right")) - 1
            place = {"bar": self.first + bar, "beat": 1 + i - self.bars[bar]}
            seconds = {"start": round(self.times[i], 3), "end": round(self.times[end], 3)}
            found.append({"chord": symbol, **place, **seconds})
        return found


def chords(source: Source, bars: str | int | None = None, track: str | int | None = None, transpose: int = 0) -> Chart:
    """Return the chords of a piece, bar by bar, with its key and tempo.

    A file of notes gives those that it names (in markers, the lyrics of a track, or ABC), or else those recognised from
    its notes; a melody alone, those that fit it. A recording gives those recognised from its sound.

    Parameters
    ----------
    source : a MIDI or ABC file, or a sound file; a path or a stream.
    bars : which bars of a file of notes, as ``"5-8"``.
    track : its melody, see `musicae.adapters.band.Band.read`.
    transpose : how many semitones up the music is moved first; down if negative.

    Raises
    ------
    MusicaeError : a file that cannot be read, has no notes with a pitch, or no such bars or track.
    """
    file = as_file(source)
    if isinstance(file, Path):
        check_file(file)
    head = head_of(file)
    fits = {kind: registry.lookup("adapters", kind).sniff(head, file) for kind in ("band", "audio")}
    if not any(fits.values()):
        raise MusicaeError(f"{name_of(source)} has no music that can be read; give a MIDI, ABC or sound file")
    if fits["audio"] > fits["band"]:
        if bars is not None or track is not None:
            raise MusicaeError(f"{name_of(source)} is a recording; --bars and --track are for files of notes")
        return _of_recording(file, name_of(source), transpose)
    return _of_notes(file, name_of(source), bars, track, transpose)


def _of_notes(file: File, called: str, bars: str | int | None, track: str | int | None, transpose: int) -> Chart:
    adapter = Band()
    sample = adapter.read(file, bars=bars, track=track, transpose=transpose)
    length, per_beat, rolls = sample.tensor.shape[-1], adapter.steps_per_beat, adapter.rolls(sample)
    named = named_chords(sample)
    if not named and not any(roll.notes for roll in rolls if not roll.labels):
        raise MusicaeError(f"{called} has no notes with a pitch, only drums; give a file with harmony or a melody")
    lines, others = bar_lines(length, sample.meta["meters"], per_beat)
    beats = np.array(sorted({round(at) for at in (*lines, *others)}))
    ends = np.append(beats[1:], length)
    middle = (beats + ends) // 2  # A chord that comes half a beat early counts from the beat before.
    alone = not any(roll.notes for roll in rolls if roll.name in ("bass", "harmony"))
    marks = named or chord_symbols.changes(adapter.chords(sample).numpy())
    places = np.searchsorted([at for at, _ in marks], middle, side="right") - 1
    found = [marks[i][1] if i >= 0 else NO_CHORD for i in places.tolist()]
    origin: Origin = sample.metadata
    times = [origin.seconds + at for at in _seconds(sample.meta["tempos"], np.append(beats, length), per_beat)]
    _, numerator, denominator = sample.meta["meters"][0]
    tonic, minor = key_of_rolls(rolls) or (-1, False)
    symbols = [(max(0, at), name(chord)) for at, chord in marks]
    return Chart(
        found,
        np.searchsorted(beats, [round(at) for at in lines]).tolist(),
        times,
        tonic,
        minor,
        sample.meta["tempos"][0][1],
        f"{numerator}/{denominator}",
        "symbols" if named else "melody" if alone else "notes",
        origin.bar,
        [replace(roll, first=origin.bar, chords=symbols) for roll in rolls],
        remarks=sample.remarks,
    )


def _seconds(tempos: Sequence[Sequence[float]], steps: NDArray[np.int64], per_beat: int) -> list[float]:
    """Return when steps come, in seconds, by ``[[step, quarter notes a minute], ...]``."""
    at = np.array([step for step, _ in tempos], np.float64)
    lasts = np.array([60 / (per_beat * qpm) for _, qpm in tempos])
    begin = np.concatenate([[0.0], np.cumsum(np.diff(at) * lasts[:-1])])
    k = np.searchsorted(at, steps, side="right") - 1
    seconds: list[float] = (begin[k] + (steps - at[k]) * lasts[k]).tolist()
    return seconds


def _of_recording(file: File, called: str, transpose: int) -> Chart:
    check_semitones(transpose)
    adapter: Adapter = registry.build("adapters", "audio", sample_rate=recorded.RATE)
    sample = adapter.read(file)
    heard = recorded.beats_of(sample.tensor[0].numpy())
    if not heard.weights.any():
        raise MusicaeError(f"{called} has no pitch that could be heard; give a recording of music")
    weights = np.roll(heard.weights, transpose, axis=0)
    found, first = heard.chords()
    found = [chord.transposed(transpose) for chord in found]
    tonic, minor = key_of(torch.from_numpy(weights.sum(1))) or (-1, False)
    bars = sorted({0, *range((-first) % recorded.BEATS_PER_BAR, len(found), recorded.BEATS_PER_BAR)})
    return Chart(
        found, bars, heard.times, tonic, minor, heard.tempo, "", "sound", chroma=weights, remarks=sample.remarks
    )
