"""Steps left out."""

import pytest
import torch

from musicae.corruptions.drop_notes import DropNotes
from musicae.errors import MusicaeError


def test_drop_notes_silences_whole_steps(rng):
    dropped = DropNotes(0.25)(torch.ones(10, 3, 1000), rng())
    assert (dropped.amax(1) == dropped.amin(1)).all()
    assert abs(1 - dropped.mean().item() - 0.25) < 0.02


def test_none_or_all_steps(rng):
    x = torch.rand(3, 2, 8, 50)
    assert torch.equal(DropNotes(0.0)(x, rng()), x)
    assert not DropNotes(1.0)(x, rng()).any()
    with pytest.raises(MusicaeError, match="share must be 0 to 1"):
        DropNotes(1.5)
