"""Bands: any that is written is read again as it was."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_bands import again, playing, written

from musicae.adapters.band import Band
from musicae.core import Sample
from musicae.formats.music import bar_grid
from musicae.tensors import band as bands

METERS = st.tuples(st.integers(1, 12), st.sampled_from([1, 2, 4, 8, 16])).filter(lambda meter: meter != (1, 4))
LOUD = st.integers(1, 127)


@st.composite
def any_band(draw):
    """Draw a band ``(C, T)`` that holds only what sounds, with a note at least."""
    length = draw(st.integers(1, 70))
    tensor = bands.silent()[:, None].repeat(1, length)
    parts = draw(st.sets(st.sampled_from(bands.PARTS), min_size=1))
    for part in sorted(parts):
        rows, loud = bands.groups_of(part)
        size = rows.stop - rows.start
        steps = st.sets(st.integers(0, length - 1), min_size=1, max_size=20)
        for start in sorted(draw(steps)):
            velocity = draw(LOUD) / 127
            if part == "drums":
                kind = draw(st.integers(0, size - 1))
                tensor[rows.start + kind, start], tensor[loud.start + kind, start] = 1, velocity
                continue
            stop = min(length, start + draw(st.integers(1, 9)))
            tensor[loud, start] = velocity
            if part == "harmony":
                for pitch in draw(st.sets(st.integers(0, size // 2 - 1), min_size=1, max_size=4)):
                    tensor[rows.start + pitch, start:stop] = 1
                    tensor[rows.start + pitch, start] = 0
                    tensor[rows.start + size // 2 + pitch, start] = 1
                continue
            tensor[rows, start:] = bands.silent()[rows, None]
            tensor[rows, start:stop] = 0
            tensor[rows.start + 1, start:stop] = 1
            tensor[rows, start] = 0
            tensor[rows.start + draw(st.integers(2, size - 1)), start] = 1
    return tensor


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    any_band(), st.integers(1, 24), METERS, st.floats(10, 400), st.lists(st.integers(0, 127), min_size=4, max_size=4)
)
def test_any_band_comes_back_with_all_that_is_kept_of_it(tensor, steps_per_beat, meter, qpm, programs):
    adapter = Band(2, steps_per_beat)
    names = ("Voice", "Bass line", "Strings", "Kit")
    parts = {
        part: {"programs": [[0, program]], "track": name}
        for part, program, name in zip(bands.PARTS, programs, names, strict=True)
    }
    swing = [[0, 1.6 if steps_per_beat in (2, 4) else 1.0]]
    kept = {"tempos": [[0, qpm]], "meters": [[0, *meter]], "parts": parts, "swing": swing}
    sample = Sample(tensor, adapter.blank() | kept | {"length": tensor.shape[1]})
    back = again(adapter, sample)
    torch.testing.assert_close(back.tensor, tensor)
    assert back.meta["parts"] == {part: parts[part] for part in playing(sample)}
    assert back.meta["swing"] == swing
    assert back.meta["tempos"] == [[0, pytest.approx(qpm, rel=1e-4)]]
    if steps_per_beat * 4 * meter[0] >= meter[1]:
        assert back.meta["meters"] == [[0, *meter]]


def test_a_syncopated_band_is_not_moved_when_it_is_read_again():
    """Its bar lines are ours: that most notes begin off the beat says nothing."""
    band, tensor = Band(), bands.silent()[:, None].repeat(1, 256)
    for part in ("melody", "bass"):
        rows, loud = bands.groups_of(part)
        tensor[rows, 2::4] = 0
        tensor[rows.start + 20, 2::4] = 1
        tensor[loud, 2::4] = 100 / 127
    sample = Sample(tensor, band.blank() | {"length": 256})
    assert bar_grid.START.encode() in written(band, sample).getvalue()
    torch.testing.assert_close(again(band, sample).tensor, tensor)
