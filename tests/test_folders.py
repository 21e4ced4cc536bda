"""Where a user's data and caches lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicae import folders


@pytest.mark.parametrize(
    ("variable", "folder"), [("MUSICAE_DATA", folders.data_folder), ("MUSICAE_CACHE", folders.cache_folder)]
)
def test_a_variable_names_the_folder_and_without_it_the_platform_does(variable, folder, monkeypatch, tmp_path: Path):
    monkeypatch.setenv(variable, str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.delenv(variable)
    assert folder().name == "musicae"
    assert folder().is_absolute()
