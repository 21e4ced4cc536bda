"""The instruments of General MIDI, by number or name."""

from __future__ import annotations

import re

from musicae.errors import MusicaeError, did_you_mean

__all__ = ["instrument_name", "program_of"]

_PROGRAMS = 128


def _names() -> list[str]:
    """Return the names of the programs; General MIDI 1 (MMA, 1991)."""
    import pretty_midi

    names: list[str] = pretty_midi.INSTRUMENT_MAP
    return names


def instrument_name(program: int) -> str:
    """Return the name of a program 0 .. 127."""
    return _names()[program]


def program_of(text: str) -> int:
    """Return the program, 0 .. 127, of a number 1 .. 128 as General MIDI counts, or of (part of) a name.

    A name that is an instrument's own comes first (``"flute"``), then the first instrument in whose name it stands
    (``"piano"``: Acoustic Grand Piano), then the first with all its words (``"nylon guitar"``). Raise MusicaeError for
    any other number, and for a name that none has.
    """
    wanted = text.strip()
    if re.fullmatch(r"[+-]?\d+", wanted):
        number = int(wanted) if len(wanted) < 9 else 0
        if not 1 <= number <= _PROGRAMS:
            raise MusicaeError(f"--program must be 1 to {_PROGRAMS}, as General MIDI counts, not {wanted:.20}")
        return number - 1
    names, words = [name.lower() for name in _names()], _words(wanted)
    exact = [i for i, name in enumerate(names) if _words(name) == words]
    within = [i for i, name in enumerate(names) if words and f" {' '.join(words)} " in f" {' '.join(_words(name))} "]
    apart = [i for i, name in enumerate(names) if words and set(words) <= set(_words(name))]
    for i in exact + within + apart:
        return i
    single = {word for name in names for word in _words(name) if len(word) > 2}
    hint = did_you_mean(wanted.lower()[:40], {*names, *single})
    hint = hint if hint.startswith("; did") else "; give a number 1 to 128, or a name such as flute"
    raise MusicaeError(f"--program: General MIDI has no instrument '{wanted[:40]}'{hint}")


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.lower())
