"""The option --data."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicae.cli.shared.data import folders_of
from musicae.errors import MusicaeError


def test_folders_stand_by_their_sets_and_one_alone_by_nothing(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    given = [f"folk={tmp_path}", str(tmp_path), f"odd={tmp_path / 'a=b'}"]
    assert folders_of(given) == {"folk": tmp_path, "": tmp_path, "odd": tmp_path / "a=b"}
    assert folders_of([]) == {}


@pytest.mark.parametrize("text", ["nowhere", "folk=nowhere"])
def test_a_folder_that_is_not_there_is_one_line(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MusicaeError, match="there is no folder nowhere; check the name"):
        folders_of([text])
