"""What is printed for people."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicae.cli import main
from musicae.cli.shared import terminal

EVIL = "a\x1b[31m\x9b1m\r\a\u202eb\n[red]c"
SHOWN = r"a\x1b[31m\x9b1m\r\x07\u202eb\n[red]c"


def test_controls_and_turns_of_direction_are_escaped() -> None:
    assert terminal.printable(EVIL) == SHOWN
    for text in ("plain", "Für Élise, メロディ, עברית, 👩\u200d🎤", "nb\xa0sp"):
        assert terminal.printable(text) == text
    assert terminal.printable("\udcff") == r"\udcff"


@given(st.text(st.characters()))
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", terminal.printable(text))


def test_a_long_line_is_cut_in_its_middle(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("no preset named '" + "x" * 10_000 + "'; choose from a, b")
    text = capsys.readouterr().err
    assert len(text) < 1600
    assert text.startswith("no preset named 'xxx")
    assert text.endswith("xxx'; choose from a, b\n")


def test_a_path_is_exact_for_a_program_and_escaped_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.show_path(Path(EVIL))
    terminal.show_path(Path(EVIL), error=True)
    terminal.show(EVIL)
    printed = capsys.readouterr()
    assert printed.out == f"{EVIL}\n{SHOWN}\n"
    assert printed.err == f"{SHOWN}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    terminal.show_path(Path(EVIL), "1.5 ")
    assert capsys.readouterr().out == f"1.5 {SHOWN}\n"


@pytest.mark.skipif(os.name == "nt", reason="no file can have such a name")
def test_no_name_of_a_file_or_track_steers_a_terminal(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "a\x1b[31m\u202e\r.mid"
    shutil.copy(repository / "data" / "twinkle.mid", tmp_path / name)
    (tmp_path / "b\x1b[31m.mid").write_bytes(b"none")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for words in (["encode", name], ["encode", "b\x1b[31m.mid"], ["show", "x\x1b[31m"], ["\x1b[31m"], ["-\x1b[31m"]):
        with pytest.raises(SystemExit):
            main(words)
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert len(text.splitlines()) >= 5
    assert r"\x1b[31m\u202e\r.npz" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
