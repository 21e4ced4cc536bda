"""Chord symbols and progressions, as people write them: ``C | G7 Am7 | Fmaj7/A | N.C.``, read and written.

A pitch class is 0 .. 11 from C up, and an interval is in semitones above the root. The tones of a symbol are those
that Harte et al. give it (2005, "Symbolic representation of musical chords"); a symbol of theirs, ``C:min7/b3``, is
read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from musicae.errors import MusicaeError, did_you_mean
from musicae.tensors.chords import QUALITIES

__all__ = [
    "NO_CHORD",
    "Bars",
    "Chord",
    "changes",
    "condition",
    "is_chord",
    "name",
    "parse",
    "parse_chord",
    "placed",
    "written",
]


@dataclass(frozen=True)
class Chord:
    """A chord: its root, its pitch classes (without the bass, if that is no tone of it), and its bass."""

    root: int
    classes: frozenset[int]
    bass: int

    @property
    def intervals(self) -> frozenset[int]:
        """The pitch classes counted from the root."""
        return frozenset((tone - self.root) % 12 for tone in self.classes)

    def transposed(self, semitones: int) -> Chord:
        """Return the chord so many semitones higher."""
        if self.root < 0:
            return self
        root, bass = (self.root + semitones) % 12, (self.bass + semitones) % 12
        return Chord(root, frozenset((tone + semitones) % 12 for tone in self.classes), bass)


NO_CHORD = Chord(-1, frozenset(), -1)
"""What ``N.C.`` stands for."""

Bars = list[list[Chord]]
"""A progression: the chords of each bar, which share it evenly."""

_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_DEGREES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 9: 2, 10: 4, 11: 5, 12: 7, 13: 9}
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_USUAL = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

_SIGNS = str.maketrans({"♯": "#", "♭": "b", "𝄪": "##", "𝄫": "bb", "−": "-", "–": "-", "△": "^", "Δ": "^", "∆": "^",  # noqa: RUF001
                        "°": "dim", "º": "dim", "ø": "hdim", "Ø": "hdim"})  # fmt: skip
# The second flat of Ab(b5) is not the root's.
_ROOT = re.compile(r"([A-Ga-g])((?:#{1,2}|b{1,2})?)")
_LATE_FLAT = re.compile(r"[A-Ga-g](bb|##)(5|6|9|11|13)")
_NO_CHORD = re.compile(r"n(\.?c\.?)?|no ?chord", re.IGNORECASE)
_HOLD = ("-", "/", ".")
_REPEAT = ("%", "𝄎")
_BAR_LINE = re.compile(r"([|‖]\s*:|:\s*[|‖]|[|‖\n])")
_TOKEN = re.compile(
    r"(?P<no>(?i:omit|no)(?P<omitted>3|5))"
    r"|(?P<add>(?i:add)(?P<shift>[#b]?)(?P<added>2|4|6|9|11|13))"
    r"|(?P<sus>(?i:sus)(?P<kind>24|2|4)?)"
    r"|(?P<altered>(?P<sign>[#b]|[-+](?=5)|(?<=\d)[-+])(?P<degree>5|6|7|9|11|13))"
    r"|(?P<half>(?i:hdim)7?|h7?(?![a-z]))"
    r"|(?P<dim>(?i:dim)|o(?!mit))"
    r"|(?P<aug>(?i:aug)|\+)"
    r"|(?P<alt>(?i:alt))"
    r"|(?P<min>m(?=[aA]dd)|(?i:min|mi)|m(?![aA])|-)"
    r"|(?P<dom>(?i:dom))"
    r"|(?P<maj>(?i:maj|ma(?!dd))|M|\^)"
    r"|(?P<number>6/?9|13|11|9|7|6|5|4|2)"
)
_MAX_SHOWN = 40  # Characters of a symbol in messages.

# The usual spellings, the first of each chord being the one that is written.
_WRITTEN = ("", "m", "7", "maj7", "m7", "6", "m6", "dim", "aug", "sus4", "sus2", "m7b5", "dim7", "5", "add9", "madd9",
            "9", "maj9", "m9", "mmaj7", "7sus4", "9sus4", "6/9", "m6/9", "11", "13", "maj13", "m11", "m13", "7b9",
            "7#9", "7#11", "maj7#11", "7b5", "7#5", "7b13", "13b9", "9#11", "add11", "maj7#5", "mmaj9", "mb6",
            "(b5)", "7alt", "sus24", "7no3")  # fmt: skip
_ALSO = ("maj", "M7", "min", "min7", "-7", "+", "sus", "7sus")


# --- symbols ---------------------------------------------------------------------------------------------------------


def parse_chord(text: str) -> Chord:
    """Return the chord of a symbol, such as ``Am7``, ``F#dim``, ``Bb7(b9)/D`` or ``N.C.``.

    Sharps and flats are ``#`` and ``b`` or the signs themselves; ``M`` is major and ``m`` minor, other letters may be
    upper or lower case. Raise MusicaeError for a chord that does not exist.
    """
    symbol = text.strip().translate(_SIGNS)
    if _NO_CHORD.fullmatch(symbol):
        return NO_CHORD
    found = _ROOT.match(symbol)
    if found is None:
        raise _unknown(text)
    root, end = _pitch_class(found[1], found[2]), found.end()
    if late := _LATE_FLAT.match(symbol):
        root, end = _pitch_class(found[1], late[1][0]), 2
    rest = symbol[end:].removeprefix(":")
    quality, slash, low = rest.rpartition("/")
    if not slash or (low == "9" and quality.endswith("6")):
        quality, slash, low = rest, "", ""
    elif low == "9":
        quality, slash, low = f"{quality}add9", "", ""
    intervals = _intervals(quality)
    bass = _bass(low, root) if low or not slash else None
    if intervals is None or bass is None:
        raise _unknown(text)
    return Chord(root, frozenset((root + interval) % 12 for interval in intervals), bass)


def is_chord(text: str) -> bool:
    """Tell whether a text is the symbol of a chord, or of none."""
    try:
        parse_chord(text)
    except MusicaeError:
        return False
    return True


def _pitch_class(letter: str, accidentals: str) -> int:
    return (_NATURALS[letter.upper()] + accidentals.count("#") - accidentals.count("b")) % 12


def _bass(text: str, root: int) -> int | None:
    """Return the pitch class that a slash is followed by, a tone or (as Harte et al. write it) a degree."""
    if not text:
        return root
    if found := _ROOT.fullmatch(text):
        return _pitch_class(found[1], found[2])
    if found := re.fullmatch(r"([#b]*)(\d\d?)", text):
        degree = _DEGREES.get(int(found[2]))
        return None if degree is None else (root + degree + found[1].count("#") - found[1].count("b")) % 12
    return None


def _intervals(quality: str) -> frozenset[int] | None:
    """Return the intervals of a symbol without its root and bass, or None if it makes no sense."""
    text = re.sub(r"[(),]", "", re.sub(r"\s+(?=\()", "", quality))
    made, at = _Tones(), 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or not made.take(found):
            return None
        at = found.end()
    return made.intervals()


class _Tones:
    """The tones of a chord, while its symbol is read."""

    def __init__(self) -> None:
        self.third: int | None = 4
        self.fifth: int | None = 7
        self.number = 0
        self.triangle = False  # A major seventh even without a 7.
        self.words: set[str] = set()
        self.more: set[int] = set()
        self.altered: set[int] = set()

    def take(self, found: re.Match[str]) -> bool:
        """Take a token in; tell whether it makes sense after what has been read."""
        word = next(name for name in ("no", "add", "sus", "half", "dim", "aug", "alt", "min", "dom", "maj", "altered",
                                      "number") if found[name] is not None)  # fmt: skip
        if word in ("min", "dim", "half", "dom", "maj", "alt", "aug", "sus"):
            if word in self.words:
                return False
            self.words.add(word)
            self.triangle |= found[0] == "^"
        if word == "number":
            if self.number:
                return False
            self.number = int(found["number"].replace("/", ""))
        elif word == "no":
            self.third, self.fifth = (None, self.fifth) if found["omitted"] == "3" else (self.third, None)
        elif word == "add":
            self.more.add(_DEGREES[int(found["added"])] + {"#": 1, "b": -1, "": 0}[found["shift"]])
        elif word == "sus":
            self.third = None
            self.more |= {"2": {2}, "24": {2, 5}}.get(found["kind"], {5})
        elif word == "altered":
            up, degree = (1 if found["sign"] in "#+" else -1), int(found["degree"])
            if degree == 5:
                self.fifth = None
            else:
                self.altered.add(degree)
            self.more.add((_DEGREES[degree] + up) % 12)
        else:
            self._mark(word)
        return True

    def _mark(self, word: str) -> None:
        if word in ("min", "dim", "half"):
            self.third = 3
        if word in ("dim", "half"):
            self.fifth = 6
        if word == "aug":
            self.fifth = 8
        if word == "alt":
            self.fifth = None
            self.more |= {1, 3, 8}
            self.number = self.number or 7

    def intervals(self) -> frozenset[int]:
        """Return the intervals of the whole symbol."""
        tones = {0, *self.more} | {tone for tone in (self.third, self.fifth) if tone is not None}
        number = self.number
        if number == 5:
            tones -= {3, 4}
        elif number in (2, 4):
            tones |= {_DEGREES[number]}
        elif number in (6, 69):
            tones |= {9} | ({2} if number == 69 else set())
        elif number >= 7 or "half" in self.words or self.triangle:
            seventh = 11 if "maj" in self.words else 9 if "dim" in self.words else 10
            above = {degree for degree in (9, 11, 13) if degree <= number} - self.altered
            # An eleventh over a major third is not played in a thirteenth.
            above -= {11} if number == 13 and self.third == 4 else set()
            tones |= {seventh} | {_DEGREES[degree] for degree in above}
        return frozenset(tones)


def _unknown(text: str) -> MusicaeError:
    word = " ".join(text.split())
    root = _ROOT.match(word)
    hint = did_you_mean(word, {f"{root[0]}{suffix}" for suffix in (*_WRITTEN, *_ALSO)}) if root else ""
    if word[:1] in ("H", "h") and is_chord(f"B{word[1:]}"):
        hint = f"; did you mean 'B{word[1:]}'?"
    if not hint.startswith("; did"):
        hint = "; write chords as C, Am7, F#dim, Bb7/D, and N.C. for none"
    shown = word if len(word) <= _MAX_SHOWN else f"{word[:_MAX_SHOWN]}..."
    return MusicaeError(f"there is no chord '{shown}'{hint}")


# --- progressions ----------------------------------------------------------------------------------------------------


def parse(text: str) -> Bars:
    """Return the bars of a progression, such as ``"C | G7 Am7 | Fmaj7/A | N.C."``.

    Bars are divided by ``|`` or a new line, and the chords of a bar by spaces or commas. ``-``, ``/`` or ``.`` lets the
    chord before sound on (``C / / G7`` changes on beat 4), ``%`` repeats the bar before, and ``|: ... :|`` is played
    twice. Lines that begin with ``#``, and numbers of bars at the beginning of a line, are left out.

    Raise MusicaeError for a chord that does not exist, and where there is none.
    """
    text = re.sub(r"(?m)^\s*(?:#.*$|\d+\s*(?=[|‖]))", "", text)
    text = re.sub(r"\(([^()]*)\)", lambda found: re.sub(r"\s", "", found[0]).replace(",", ""), text.replace("\r", "\n"))
    bars: Bars = []
    start = 0
    for piece in _BAR_LINE.split(text):
        mark = re.sub(r"\s", "", piece) if _BAR_LINE.fullmatch(piece) else ""
        if mark.endswith(":"):
            start = len(bars)
        elif mark.startswith(":"):
            bars += bars[start:]
            start = len(bars)
        elif words := re.findall(r"[^\s,|‖]+", piece):
            bars.append(_bar(words, bars))
    if not bars:
        raise MusicaeError('there are no chords; write a progression as "C | G7 Am7 | F"')
    return bars


def _bar(words: Sequence[str], before: Bars) -> list[Chord]:
    if all(word in _REPEAT for word in words):
        if not before:
            raise MusicaeError(f"the chords begin with '{words[0]}', which repeats the bar before; begin with a chord")
        return list(before[-1])
    chords: list[Chord] = []
    last = before[-1][-1] if before else NO_CHORD
    for word in words:
        last = last if word in (*_HOLD, *_REPEAT) else parse_chord(word)
        chords.append(last)
    return chords


def condition(bars: Sequence[Sequence[Chord]], length: int, bar: int = 16, beats: int = 4) -> NDArray[np.float32]:
    """Return a progression as a condition ``(24, length)``: the root (12, one-hot), the pitch classes (12).

    Both are zeros where there is no chord. `bar` is the number of steps in a bar, and `beats` of its beats; chords
    begin on beats, the first ones of a bar lasting longer where they cannot all be equal, and between beats only where
    a bar has more chords than beats. The progression is repeated up to `length`. A chord that is none of `QUALITIES`,
    those that models are trained on, stands as the nearest one: ``C9`` as ``C7``.

    Raise MusicaeError for a bar with more chords than steps.
    """
    whole = np.zeros((24, len(bars) * bar), np.float32)
    for number, chords in enumerate(bars):
        unit = bar // beats if len(chords) <= beats and bar % beats == 0 else 1
        if len(chords) > bar:
            raise MusicaeError(f"bar {number + 1} has {len(chords)} chords; {bar} is the most")
        places = [-(-i * (bar // unit) // len(chords)) * unit for i in range(len(chords))]
        for chord, at in zip(chords, places, strict=True):
            own = whole[:, number * bar + at : (number + 1) * bar]
            own[:] = _column(chord)[:, None]
    return np.resize(whole.T, (length, 24)).T.copy() if length else np.zeros((24, 0), np.float32)


@cache
def _column(chord: Chord) -> NDArray[np.float32]:
    """Return a step of a condition ``(24,)``."""
    column = np.zeros(24, np.float32)
    if chord.root >= 0:
        column[chord.root] = 1.0
        column[[12 + (chord.root + interval) % 12 for interval in _nearest(chord.intervals, QUALITIES.values())]] = 1.0
    return column


def placed(marks: Sequence[tuple[int, Chord]], length: int) -> NDArray[np.float32]:
    """Return chords, each with the step from where it holds, as a condition ``(24, length)``."""
    cond = np.zeros((24, length), np.float32)
    for at, chord in marks:
        cond[:, max(at, 0) :] = _column(chord)[:, None]
    return cond


def changes(cond: NDArray[np.floating]) -> list[tuple[int, Chord]]:
    """Return the chords of a condition ``(24, T)``, each with the step where it begins; the bass is the root."""
    if not cond.shape[1]:
        return []
    on = cond > 0.5
    first = np.flatnonzero(np.append(True, (on[:, 1:] != on[:, :-1]).any(0)))
    return [(int(at), _of_column(on[:, at])) for at in first]


def _of_column(column: NDArray[np.bool_]) -> Chord:
    root = int(column[:12].argmax())
    return Chord(root, frozenset(np.flatnonzero(column[12:]).tolist()), root) if column[:12].any() else NO_CHORD


# --- written ---------------------------------------------------------------------------------------------------------


def name(chord: Chord, flats: bool | None = None) -> str:
    """Return the usual symbol of a chord: that of its tones, or of the nearest that has one.

    `flats` tells whether black keys are flats, as in F major, or sharps, as in G major; by default they are as is most
    usual for each.
    """
    if chord.root < 0:
        return "N.C."
    names = _USUAL if flats is None else _FLATS if flats else _SHARPS
    table = _suffixes()
    suffix = table[_nearest(chord.intervals, table)]
    return f"{names[chord.root]}{suffix}{f'/{names[chord.bass]}' if chord.bass != chord.root else ''}"


def written(bars: Sequence[Sequence[Chord]], flats: bool | None = None) -> list[str]:
    """Return the text of each bar, which `parse` reads; a chord that goes on is not written again."""
    return [" ".join(_words(chords, flats)) for chords in bars]


def _words(chords: Sequence[Chord], flats: bool | None) -> Iterator[str]:
    """Go through the words of a bar: as few as tell where its chords change."""
    count = len(chords)
    begun = [i for i in range(count) if not i or chords[i] != chords[i - 1]]
    few = len(begun)
    if begun == [-(-i * count // few) for i in range(few)]:
        yield from (name(chords[i], flats) for i in begun)
    else:
        yield from (name(chords[i], flats) if i in begun else "/" for i in range(count))


@cache
def _suffixes() -> dict[frozenset[int], str]:
    """Return the suffix of every set of intervals that has a usual one."""
    table: dict[frozenset[int], str] = {}
    for suffix in _WRITTEN:
        table.setdefault(_intervals(suffix) or frozenset(), suffix)
    return table


def _nearest(intervals: frozenset[int], kinds: Iterable[Iterable[int]]) -> frozenset[int]:
    """Return the one of `kinds` of chords that has the fewest tones that others lack, which count double, or miss."""
    sets = [frozenset(kind) for kind in kinds]
    return min(sets, key=lambda kind: 2 * len(kind - intervals) + len(intervals - kind))
