"""The command chords: what it prints and draws."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from musicae.tensors.chord_symbols import parse

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def song(shell: Any) -> str:
    shutil.copy(DATA / "korobeiniki.mid", shell.folder)
    return "korobeiniki.mid"


def test_it_prints_four_bars_a_line(shell: Any, song: str) -> None:
    first, *lines = shell.ok("chords", song).splitlines()
    assert first == "# A minor, 4/4, tempo 120; chords recognised from the notes"
    assert lines[:2] == [" 1 | E  | Am | E  | Am |", " 5 | Dm | C  | E  | Am |"]
    assert len(lines) == 4
    assert len(parse("\n".join([first, *lines]))) == 16


def test_json_has_times_and_the_same_progression(shell: Any, song: str) -> None:
    facts = json.loads(shell.ok("chords", song, "--json"))
    assert (facts["key"], facts["meter"], facts["tempo"], facts["source"]) == ("A minor", "4/4", 120, "notes")
    assert parse(facts["progression"]) == parse(shell.ok("chords", song))
    assert facts["chords"][1] == {"chord": "Am", "bar": 2, "beat": 1, "start": 2.0, "end": 4.0}
    assert "png" not in facts


def test_all_of_it_may_be_transposed(shell: Any, song: str) -> None:
    first, *lines = shell.ok("chords", song, "--transpose", "3").splitlines()
    assert first.startswith("# C minor")
    assert lines[1] == " 5 | Fm | Eb | G  | Cm |"
    assert "--transpose must be -24 to 24" in shell.fails("chords", song, "--transpose", "99")


def test_the_picture_lies_beside_the_file(shell: Any, song: str) -> None:
    shell.ok("chords", song, "--png")
    with Image.open("korobeiniki-chords.png") as image:
        whole = image.size
    assert "exists already" in shell.fails("chords", song, "--png")
    shell.ok("chords", song, "--png", "few.png", "--bars", "1-8")
    with Image.open("few.png") as image:
        assert image.size[0] == whole[0]
        assert image.size[1] < whole[1]


def test_a_bad_file_leaves_nothing_behind(shell: Any) -> None:
    before = sorted(Path().iterdir())
    assert "only drums" in shell.fails("chords", "rock.mid", "--png")
    assert "name a file that ends in .png" in shell.fails("chords", "twinkle.mid", "--png=a.jpg")
    assert sorted(Path().iterdir()) == before
