"""What a sample of notes tells of the file it is from, beside its `meta`."""

from __future__ import annotations

from dataclasses import dataclass

from musicae.core import Sample
from musicae.tensors.chord_symbols import Chord

__all__ = ["Origin", "Rewritten", "named_chords"]


@dataclass(frozen=True)
class Origin:
    """The chords that a file names, and where in it a sample begins: the `metadata` of the sample.

    Chords have the steps from where they hold, in a sample of `length` steps. It begins with the `bar` of that number
    (from 1) of the file, `seconds` after the file's start.
    """

    chords: list[tuple[int, Chord]]
    length: int
    bar: int
    seconds: float


@dataclass(frozen=True)
class Rewritten:
    """The bytes of a file that a sample was put into, such as the song of its drums: the `metadata` of the sample."""

    data: bytes


def named_chords(sample: Sample) -> list[tuple[int, Chord]]:
    """Return the chords that a sample's file names; none where it names none, or the sample was cut or made longer."""
    origin = sample.metadata
    same = isinstance(origin, Origin) and origin.length == sample.tensor.shape[-1]
    return origin.chords if same else []
