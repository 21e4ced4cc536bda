"""What comes with a sample from its file."""

import torch

from musicae.adapters.shared.origin import Origin, named_chords
from musicae.core import Sample
from musicae.tensors.chord_symbols import parse_chord


def test_they_hold_for_the_sample_as_it_was_read():
    marks = [(0, parse_chord("Am")), (16, parse_chord("G"))]
    tensor = torch.zeros(3, 32)
    assert named_chords(Sample(tensor, metadata=Origin(marks, 32, 1, 0.0))) == marks
    assert named_chords(Sample(tensor[:, :16], metadata=Origin(marks, 32, 1, 0.0))) == []
    assert named_chords(Sample(tensor)) == []
