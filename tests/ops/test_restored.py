"""The options of restoring, and its results."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch

from musicae.adapters.image import Image
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.restored import Restored, RestoreOptions, called


def test_two_is_the_scale_that_nobody_named() -> None:
    assert RestoreOptions().wanted_scale == 2
    assert RestoreOptions(scale=4).wanted_scale == 4


def test_a_result_in_memory_is_saved_and_one_written_is_not(tmp_path: Path) -> None:
    adapter = Image(1)
    made = Restored("x", sample=Sample(torch.full((1, 3, 4), 0.5)), adapter=adapter)
    made.save(str(tmp_path / "a.png"))
    assert adapter.read(tmp_path / "a.png", fit="whole").tensor.shape == (1, 3, 4)
    assert made.written_to(None, "a.png") is made
    left = made.written_to(tmp_path / "b.png", "a.png")
    assert (left.preset, left.path, left.sample) == ("x", tmp_path / "b.png", None)
    stream = io.BytesIO()
    assert made.written_to(stream, "a.png").path is None
    assert stream.getvalue() == (tmp_path / "b.png").read_bytes()
    with pytest.raises(MusicaeError, match="there is no sample to save"):
        left.save(tmp_path / "c.png")


def test_sources_are_called_by_their_paths() -> None:
    assert called("a/b.wav") == "a/b.wav"
    assert called(Path("b.wav")) == "b.wav"
    assert called(io.BytesIO()) == "the stream"
    assert called(Sample(torch.zeros(1))) == "the sample"
