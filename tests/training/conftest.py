"""Small data to train on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from musicae.adapters.melody import Melody
from musicae.core import Sample


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of MIDI files, two bars of a melody each."""
    adapter = Melody()
    (tmp_path / "midi").mkdir()
    for i in range(30):
        tokens = torch.zeros(32, dtype=torch.long)
        tokens[::2] = 40 + torch.randint(12, (16,), generator=torch.Generator().manual_seed(i))
        tokens[1::2] = 1
        one_hot = torch.nn.functional.one_hot(tokens, 90).T.float()
        adapter.write(Sample(one_hot, adapter.blank()), tmp_path / "midi" / f"{i}.mid")
    return tmp_path / "midi"
