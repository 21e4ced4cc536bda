"""The command similar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def album(shell: Any) -> Any:
    (shell.folder / "album").mkdir()
    for name in ("ode-to-joy", "greensleeves", "rock"):
        (shell.folder / f"{name}.mid").rename(shell.folder / "album" / f"{name}.mid")
    return shell


def test_it_names_the_nearest_files(album: Any, preset: Any) -> None:
    result = album("similar", "twinkle.mid", "album", *preset)
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert sorted(row[-1] for row in rows) == [str(Path("album") / f"{x}.mid") for x in ("greensleeves", "ode-to-joy")]
    assert float(rows[0][0]) <= float(rows[1][0])
    assert result.stderr == "1 of 3 files could not be read and were left out; -v says why\n"
    verbose = album("similar", "twinkle.mid", "album", "-n", "1", "-v", *preset)
    assert len(verbose.stdout.splitlines()) == 1
    first, second, last = verbose.stderr.splitlines()
    assert first == "preset tiny-melody; 0 of 3 files were encoded"
    assert second.startswith(f"{Path('album') / 'rock.mid'}: it has only drums")
    assert last == "1 of 3 files could not be read and were left out"


def test_json(album: Any, preset: Any) -> None:
    facts = json.loads(album.ok("similar", "twinkle.mid", "album", "--json", "--index", "codes.npz", *preset))
    assert Path("codes.npz").is_file()
    assert facts["preset"] == "tiny-melody"
    assert [set(one) for one in facts["matches"]] == [{"path", "distance", "transposed"}] * 2
    assert list(facts["skipped"]) == [str(Path("album") / "rock.mid")]


def test_wrong_words(album: Any, preset: Any) -> None:
    assert "there is no folder none" in album.fails("similar", "twinkle.mid", "none", *preset)
    assert "there is no file no.mid" in album.fails("similar", "no.mid", "album")
    assert "album is a folder" in album.fails("similar", "album", "album")
    assert "--index" in album.fails("similar", "twinkle.mid", "album", "--index", "a.txt", *preset)
    assert "give one of them" in album.fails("similar", "twinkle.mid", "album", "--only", "melody", *preset)
