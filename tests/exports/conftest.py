"""Two models, exported once for all tests."""

from __future__ import annotations

import pytest

from musicae.exports.run import Export, export


@pytest.fixture(scope="session")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """The preset melody-2bar, in a folder called ``tunes``."""
    return export("melody-2bar", tmp_path_factory.mktemp("exports") / "tunes")


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """The preset denoise-speech, with weights of 8 bits."""
    return export("denoise-speech", tmp_path_factory.mktemp("exports") / "speech", bits=8)
