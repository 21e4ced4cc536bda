"""What the tests of the adapters share: small MIDI files, and adapters of two kinds for pictures."""

import pytest
from made_midi import make_midi

from musicae.adapters.image import Image

__all__ = ["make_midi"]


@pytest.fixture
def whole() -> Image:
    return Image(height=96, width=96, fit="whole", likelihood="gaussian")


@pytest.fixture
def colour() -> Image:
    return Image(channels=3, height=96, width=96, fit="whole", likelihood="gaussian")
