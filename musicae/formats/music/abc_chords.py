"""The chord symbols of a tune in ABC notation, such as ``"Am"``, and where they stand.

abc2midi knows how long everything lasts, however a tune is repeated; but it writes chords as notes, and only those that
it knows. So each symbol is given to it as a chord of its own making that tells which one it is, played on each eighth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from musicae.errors import MusicaeError
from musicae.formats.music import abc
from musicae.formats.music.chord_marks import Marks
from musicae.tensors.chord_symbols import is_chord, parse_chord

__all__ = ["of_tune"]

_ROOTS = ("C", "D", "E", "F", "G", "A", "B")
_KINDS = "ABCDEFGHIJ"
_PROGRAM = 120  # By which the chords' notes are known; tunes are not played by "gun shot".
_LOWEST = 13  # Semitones between the two notes of the first kind of chord.
_QUOTED = re.compile(r'"([^"\n]*)"')
_FIELD = re.compile(r"(?m)^(?:[A-Za-z]:|%).*$")
_METER = re.compile(r"M:\s*(?:(C\|?)|(\d+)\s*/\s*(\d+))")
_MAX_EIGHTHS = 64


def of_tune(tune: str) -> Marks:
    """Return the chords of a tune, with their ticks in the score of `abc.from_abc`; none where it has no symbols.

    Of ``"G(Em)"`` the first is taken; texts that are no chords are left out.
    """
    body = _FIELD.sub("", tune)
    symbols = list(dict.fromkeys(symbol for text in _QUOTED.findall(body) if (symbol := _symbol(text))))
    if not symbols or len(symbols) > len(_ROOTS) * len(_KINDS):
        return []
    try:
        score = abc.from_abc(_coded(tune, symbols), chords=True)
    except MusicaeError:
        return []
    played: dict[int, list[int]] = {}
    for track in score.tracks:
        if track.program == _PROGRAM:
            notes = track.notes.numpy()
            for tick, pitch in zip(notes["time"].tolist(), notes["pitch"].tolist(), strict=True):
                played.setdefault(max(0, tick - 1), []).append(pitch)  # abc2midi: all notes a tick late.
    named = [(tick, _number(pitches)) for tick, pitches in sorted(played.items())]
    marks: Marks = []
    for number, run in groupby(((tick, n) for tick, n in named if 0 <= n < len(symbols)), key=lambda mark: mark[1]):
        marks.append((next(run)[0], parse_chord(symbols[number])))
    return marks


def _symbol(text: str) -> str:
    """Return the chord of a quoted text; none for ``"^slowly"``, which is not one."""
    word = re.split(r"[(;\\]", text.strip(), maxsplit=1)[0].strip() or ""
    word = text.strip() if is_chord(text) else word
    return word if is_chord(word) else ""


def _number(pitches: Sequence[int]) -> int:
    """Return which symbol two pitches stand for; -1 for none."""
    low, high = min(pitches), max(pitches)
    naturals = np.array([0, 2, 4, 5, 7, 9, 11])
    root = np.flatnonzero(naturals == low % 12)
    return int(root[0]) + len(_ROOTS) * (high - low - _LOWEST) if len(root) and high - low >= _LOWEST else -1


def _coded(tune: str, symbols: Sequence[str]) -> str:
    """Return a tune whose chords are coded, and played on each eighth."""
    codes = {symbol: f"{_ROOTS[i % len(_ROOTS)]}z{_KINDS[i // len(_ROOTS)]}" for i, symbol in enumerate(symbols)}
    names = "".join(f"%%MIDI chordname z{kind} 0 {_LOWEST + i}\n" for i, kind in enumerate(_KINDS))
    text = re.sub(r"(?m)^%%MIDI\s*(?:gchord|chord|program|transpose).*\n", "", tune)
    head, _, rest = text.partition("\n")
    lines = []
    for line in rest.split("\n"):
        if not _FIELD.fullmatch(line):
            line = _QUOTED.sub(lambda found: f'"{codes[s]}"' if (s := _symbol(found[1])) else "", line)
            line = re.sub(r"\[(M:[^\]\n]*)\]", "\n\\1\n", line)
        lines.append(line)
    rest = _METER.sub(lambda found: f"{found[0]}\n{_pattern(found)}", "\n".join(lines))
    # The tune's own part of the line of a meter, such as a comment, may be lost; nothing of its music is.
    return f"{head}\n%%MIDI gchordon\n%%MIDI chordprog {_PROGRAM}\n{names}%%MIDI gchord {'c' * 8}\n{rest}"


def _pattern(meter: re.Match[str]) -> str:
    eighths = 8 if meter[1] else int(meter[2]) * 8 // max(1, int(meter[3]))
    return f"%%MIDI gchord {'c' * min(max(eighths, 1), _MAX_EIGHTHS)}"
