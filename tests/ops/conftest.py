"""Small untrained codecs, and the files in data/."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_midi import make_midi

from musicae import codec as codecs
from musicae.codec import Codec

__all__ = ["make_midi"]


@pytest.fixture
def data(repository: Path) -> Path:
    return repository / "data"


@pytest.fixture(scope="session")
def tiny(tiny_melody: Path) -> Codec:
    return codecs.load(str(tiny_melody))


@pytest.fixture(scope="session")
def digits(tiny_digits: Path) -> Codec:
    return codecs.load(str(tiny_digits))


@pytest.fixture(scope="session")
def classes(tiny_classes: Path) -> Codec:
    return codecs.load(str(tiny_classes))
