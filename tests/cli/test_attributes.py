"""The command attributes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from musicae import hub
from musicae.cli import main


def run(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(word) for word in ("attributes", *words)])
    return done.exit_code, done.stdout, done.stderr


def test_it_lists_what_was_measured() -> None:
    code, text, said = run("melody-2bar")
    assert code == 0, said
    head, first, *_ = text.splitlines()
    assert head.split()[:8] == ["attribute", "unit", "mean", "s.d.", "rises", "change", "others", "stays"]
    assert first.split()[:4] == ["density", "notes", "a", "bar"]
    assert first.endswith("how many notes begin in a bar of 4/4")
    code, text, _ = run("melody-2bar", "--json")
    one = json.loads(text)["attributes"][0]
    assert (one["name"], one["unit"]) == ("density", "notes a bar")
    assert 0.9 < one["measured"]["rises"] <= 1


@pytest.fixture
def folder(repository: Path, tmp_path: Path) -> Path:
    """Tunes to fit attributes to."""
    names = ("twinkle", "greensleeves", "korobeiniki", "ode-to-joy", "saints")
    (tmp_path / "tunes").mkdir()
    for name in names:
        for copy in range(4):
            shutil.copy(repository / "data" / f"{name}.mid", tmp_path / "tunes" / f"{name}-{copy}.mid")
    return tmp_path / "tunes"


def test_a_preset_of_ones_own_is_fitted(untrained: object, folder: Path, tmp_path: Path) -> None:
    assert callable(untrained)
    trained = untrained(
        "tiny-tunes",
        adapter={"name": "melody"},
        dataset={"name": "midi-files", "test": 0.2, "validation": 0.3, "by_song": False},
        model={"name": "patch-vae", "latent": 8, "width": 16, "depth": 1, "heads": 2},
    )
    own = shutil.copy(trained, tmp_path / "own.safetensors")
    code, _, said = run(own)
    assert (code, f"run: musicae attributes {own} --fit" in said) == (1, True)
    code, text, said = run(own, "--fit", "--data", folder, "--limit", "8")
    assert code == 0, said
    assert said.splitlines()[-1] == str(hub.attributes_of(Path(own)))
    assert text.splitlines()[1].startswith("density")
    assert run(own)[1] == text


def test_mistakes_are_one_line(folder: Path) -> None:
    for words, expected in (
        (["melody-2bars"], "did you mean 'melody-2bar'"),
        (["denoise"], "has no attributes"),
        (["melody-2bar", "--data", folder], "--data is for --fit"),
        (["denoise", "--fit"], "has no attributes"),
    ):
        code, text, said = run(*words)
        assert (code, text, said.count("\n")) == (1, "", 1)
        assert expected in said
