"""Moments of pictures."""

from __future__ import annotations

import pytest
import torch

from musicae.attributes.shared.moments import moments


def test_they_are_those_of_the_grey_values() -> None:
    picture = torch.zeros(1, 1, 9, 9)
    picture[0, 0, 2, 6] = picture[0, 0, 6, 2] = 0.5  # Two points, up to the right.
    wide, high, together = (value.item() for value in moments(picture))
    assert (wide, high, together) == pytest.approx((4, 4, 4))
