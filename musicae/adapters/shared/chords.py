"""The chords that a file names, as they come with a sample."""

from __future__ import annotations

from dataclasses import dataclass

from musicae.core import Sample
from musicae.tensors.chord_symbols import Chord

__all__ = ["NamedChords", "named_chords"]


@dataclass(frozen=True)
class NamedChords:
    """Chords with the steps from where they hold, in a sample of so many steps: its `metadata`."""

    marks: list[tuple[int, Chord]]
    length: int


def named_chords(sample: Sample) -> list[tuple[int, Chord]]:
    """Return the chords that a sample's file names; none where it names none, or the sample was cut or made longer."""
    named = sample.metadata
    same = isinstance(named, NamedChords) and named.length == sample.tensor.shape[-1]
    return named.marks if same else []
