"""The thickness of strokes."""

from __future__ import annotations

import pytest
from strokes import stroke

from musicae.attributes.thickness import Thickness


@pytest.mark.parametrize("width", [2.0, 4.0])
def test_a_stroke_is_as_thick_as_it_is_wide(width: float) -> None:
    # Its two ends are edges as well.
    assert Thickness().of_pictures(stroke(width)).item() == pytest.approx(width * 20 / (20 + width), rel=0.05)


def test_a_fainter_stroke_is_as_thick() -> None:
    assert Thickness().of_pictures(0.5 * stroke(3.0)).item() == Thickness().of_pictures(stroke(3.0)).item()
