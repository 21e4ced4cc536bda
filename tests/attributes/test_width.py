"""The width of writing."""

from __future__ import annotations

import pytest
from strokes import stroke

from musicae.attributes.width import Width


def test_it_is_that_without_the_slant() -> None:
    upright, leaning = (Width().of_pictures(stroke(10.0, lean)).item() for lean in (0.0, 0.4))
    assert upright == pytest.approx(10, rel=0.02)
    assert leaning == pytest.approx(upright, rel=0.05)
