"""The command push."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_server import TOKEN, Hub

FIGURES = {"token_accuracy_mean": 0.9, "floor_token_accuracy_mean": 0.5}


def test_it_measures_and_pushes(shell: Any, hub: Hub, tiny_melody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    asked = []

    def evaluate(codec: Any, folders: Any, limit: Any) -> dict[str, float]:
        asked.append((codec.preset.name, folders, limit))
        return FIGURES

    monkeypatch.setattr("musicae.evaluate", evaluate)
    out = shell.ok("push", tiny_melody, "me/tunes", "--data", f"folk={shell.folder}", "--limit", 20)
    repo = hub.repos["me/tunes"]
    assert out.splitlines()[0] == f"hf:me/tunes@{repo.revisions['main']}"
    assert asked == [("tiny-melody", {"folk": shell.folder}, 20)]
    assert "| `token_accuracy_mean` | 0.9 |  | 0.5 |" in repo.commits[repo.revisions["main"]]["README.md"].decode()


def test_it_writes_a_folder_to_look_at(shell: Any, hub: Hub, tiny_melody: Path) -> None:
    (shell.folder / "figures.json").write_text(json.dumps(FIGURES))
    words = ("push", tiny_melody, "me/tunes", "--figures", "figures.json", "--license", "mit", "-o", "out")
    out = shell.ok(*words)
    assert sorted(out.splitlines()) == sorted(f"out/{path.name}" for path in (shell.folder / "out").iterdir())
    assert "license: mit" in (shell.folder / "out" / "README.md").read_text()
    assert shell.fails(*words).count("exists already; -f overwrites it") == 1
    assert json.loads(shell.ok(*words, "-f", "--json"))["paths"][0] == "out/README.md"
    assert hub.asked == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("me/tunes", "--figures", "none.json"), "none.json cannot be read"),
        (("me/tunes", "--no-figures", "--limit", "9"), "--no-figures goes with none of --figures, --data and --limit"),
        (("tunes", "--no-figures"), "'hf:tunes' is no preset at the hub"),
        (("me/tunes", "--no-figures", "--license", "My Own"), "--license takes a name as the hub has it"),
        (("me/tunes", "--no-figures"), "nobody is logged in at the hub"),
        (("me/tunes", "-o", "out"), "has no [evaluation] section; add one to measure it; or give figures"),
    ],
)
def test_what_goes_wrong_is_one_line(shell: Any, hub: Hub, tiny_melody: Path, words: Any, message: str) -> None:
    said = shell.fails("push", tiny_melody, *words)
    assert message in said
    assert hub.repos == {}
    assert not (shell.folder / "out").exists()
