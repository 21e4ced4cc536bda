"""The command personalize."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TUNES = ("twinkle", "ode-to-joy", "greensleeves")


@pytest.fixture
def album(shell: Any) -> Any:
    (shell.folder / "my-tunes").mkdir()
    for name in TUNES:
        (shell.folder / f"{name}.mid").rename(shell.folder / "my-tunes" / f"{name}.mid")
    return shell


def test_a_folder_becomes_a_preset(album: Any, tiny_melody: Path) -> None:
    words = ("personalize", tiny_melody, "my-tunes")
    assert album.ok(*words) == "my-tunes.safetensors"
    assert album.ok("sample", "my-tunes.safetensors", "--seed", "3") == "my-tunes-sample.mid"
    assert "exists already; -f overwrites it" in album.fails(*words)
    (album.folder / "my-tunes" / "bad.mid").write_bytes(b"")
    result = album(*words, "-o", "mine", "--json", "-v", "--variety", "0.9")
    facts = json.loads(result.stdout)
    assert (facts["path"], facts["preset"], facts["files"]) == ("mine.safetensors", "tiny-melody", 3)
    assert list(facts["skipped"]) == [str(Path("my-tunes") / "bad.mid")]
    assert "1 of 4 files could not be read and were left out" in result.stderr
    assert album.ok("show", "mine.safetensors").count("kernels") == 1
    assert album.ok("similar", "my-tunes/twinkle.mid", "my-tunes", "--preset", "mine.safetensors").count("\n") == 1


def test_wrong_words_leave_nothing(album: Any, tiny_melody: Path) -> None:
    words = ("personalize", tiny_melody)
    assert "2 files can be read" in album.fails(*words, "my-tunes/twinkle.mid", "my-tunes/greensleeves.mid")
    assert "there is no file none" in album.fails(*words, "none")
    assert "no preset named 'melody-2bra'; did you mean" in album.fails("personalize", "melody-2bra", "my-tunes")
    assert "no checkpoint at gone.safetensors" in album.fails("personalize", "gone.safetensors", "my-tunes")
    assert "--only picks a preset" in album.fails(*words, "my-tunes", "--only", "melody")
    assert "is no name for a preset" in album.fails(*words, "my-tunes", "-o", "-x")
    (album.folder / "words").mkdir()
    (album.folder / "words" / "a.txt").write_text("hello")
    assert "has no file that can be read" in album.fails(*words, "words")
