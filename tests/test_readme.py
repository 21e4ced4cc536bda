"""What the README and the lesson say is so."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from musicae import preset, registry
from musicae.core import Latent, Spec
from musicae.testing import check_model

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSON = (ROOT / "docs" / "lesson.md").read_text(encoding="utf-8")


def blocks(kind: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def table(first: str) -> list[str]:
    """Return the code words in the first column of the table under the heading cell `first`."""
    rows = re.search(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, flags=re.MULTILINE)
    assert rows
    return [word for row in rows[1].splitlines() for word in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def commands() -> list[str]:
    pages = [*blocks("sh"), *blocks("sh", LESSON)]
    shown = [line for block in pages for line in block.splitlines()] + table("command")
    return [line[line.index("musicae ") :] for line in shown if re.match(r"musicae |.*/musicae ", line)]


@cache
def help_of(*verb: str) -> str:
    done = subprocess.run([sys.executable, "-m", "musicae", *verb, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("line", commands())
def test_every_command_shown_exists_with_its_options(line: str) -> None:
    _, verb, *words = line.split()
    text = help_of(verb) if verb not in ("COMMAND", "--help") else "--help"
    if "Commands:" in text and words[0].isalpha():
        text = help_of(verb, words[0])
    for word in words:
        if word.startswith("-"):
            assert re.search(rf"(^|[\s,/]){re.escape(word)}\b", text), f"musicae {verb} has no {word}"


@pytest.mark.parametrize("line", commands())
def test_every_sample_file_shown_exists(line: str) -> None:
    for path in re.findall(r"\bdata/\S+", line):
        assert (ROOT / path).is_file()


def test_every_picture_of_the_lesson_is_there_and_small() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", LESSON)
    assert len(pictures) > 10
    for picture in pictures:
        assert 0 < (ROOT / "docs" / picture).stat().st_size < 400_000
    assert {Path(picture).name for picture in pictures} == {path.name for path in (ROOT / "docs/lesson").iterdir()}


def test_the_first_screen_has_the_two_commands_each_one_line() -> None:
    main, tests, *_ = blocks("sh")
    assert main.count("\n") == tests.count("\n") == 1
    assert "pip install -q . && .venv/bin/musicae interpolate data/" in main
    assert "pip install -q -e '.[dev]' && .venv/bin/pytest" in tests
    assert "install -q -e '.[dev]'" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_tables_name_all_presets_and_data_sets() -> None:
    shipped = [name for name, owner in preset.listed().items() if owner == "musicae"]
    assert sorted(table("preset")) == shipped
    assert sorted(name for name in table("data set") if "." not in name) == sorted(registry.BUILT_IN["datasets"])


def test_the_groups_are_the_registrys() -> None:
    assert {group.removeprefix("musicae.") for group in table("group")} == set(registry.GROUPS)


def test_the_library_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[0], {})
    assert capsys.readouterr().out.startswith("torch.Size([")
    assert (tmp_path / "morph.mid").is_file()


def test_the_model_example_keeps_its_promises() -> None:
    names: dict[str, Any] = {"nn": nn, "math": math, "Spec": Spec, "Latent": Latent}
    exec(blocks("python")[1], names)
    check_model(names["Linear"], Spec(1, (16,), "bernoulli"))


def test_the_plugin_example_is_the_one_that_is_tested() -> None:
    (example,) = [block for block in blocks("toml") if "entry-points" in block]
    assert example in (ROOT / "tests" / "plugin" / "pyproject.toml").read_text(encoding="utf-8")
