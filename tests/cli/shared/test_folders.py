"""What the commands share that look at all files of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicae.cli.shared.folders import index_path, say_left_out
from musicae.errors import MusicaeError


def test_an_index_is_an_npz_file(tmp_path: Path) -> None:
    assert index_path(None) is None
    assert index_path(tmp_path / "a.NPZ") == tmp_path / "a.NPZ"
    (tmp_path / "b.npz").mkdir()
    for name in ("b.npz", "a.txt"):
        with pytest.raises(MusicaeError, match=r"an index is an \.npz file"):
            index_path(tmp_path / name)


def test_files_left_out_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    say_left_out({}, 3, True)
    say_left_out({"a.mid": "it is empty"}, 3, True)
    assert capsys.readouterr().err == "a.mid: it is empty\n1 of 3 files could not be read and were left out\n"
    say_left_out({"a.mid": "it is empty"}, 3, False)
    assert capsys.readouterr().err == "1 of 3 files could not be read and were left out; -v says why\n"
