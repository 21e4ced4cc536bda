"""The chords that come with a sample."""

import torch

from musicae.adapters.shared.chords import NamedChords, named_chords
from musicae.core import Sample
from musicae.tensors.chord_symbols import parse_chord


def test_they_hold_for_the_sample_as_it_was_read():
    marks = [(0, parse_chord("Am")), (16, parse_chord("G"))]
    tensor = torch.zeros(3, 32)
    assert named_chords(Sample(tensor, metadata=NamedChords(marks, 32))) == marks
    assert named_chords(Sample(tensor[:, :16], metadata=NamedChords(marks, 32))) == []
    assert named_chords(Sample(tensor)) == []
