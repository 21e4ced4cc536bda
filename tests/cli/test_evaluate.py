"""The command evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_evaluate_prints_a_table_or_json(shell: Any, tiny_melody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measured(name: str, folders: Any, limit: int | None, against: str, changes: Any) -> dict[str, float]:
        asked.append((Path(name).stem, folders, limit, against, changes))
        beside = {"spread_token_accuracy_mean": 0.001, "floor_token_accuracy_mean": 0.5}
        return {"token_accuracy_mean": 0.98765, **beside, "floor_pca": 0.25}

    monkeypatch.setattr("musicae.evaluate", measured)
    found = json.loads(shell.ok("evaluate", tiny_melody, "--json", "--limit", "10", "--set", "evaluation.lm=x"))
    assert found["token_accuracy_mean"] == 0.98765
    table = shell.ok("evaluate", tiny_melody, "--data", f"folk={shell.folder}")
    row = next(line for line in table.splitlines() if "token_accuracy_mean" in line)
    assert row.replace("│", " ").split() == ["token_accuracy_mean", "0.9877", "0.001", "0.5"]
    rival = next(line for line in table.splitlines() if "floor_pca" in line)
    assert rival.replace("│", " ").split() == ["floor_pca", "0.25"]
    assert "floor_token" not in table
    first, second = (
        ("tiny-melody", {}, 10, "", ("evaluation.lm=x",)),
        ("tiny-melody", {"folk": shell.folder}, None, "", ()),
    )
    assert asked == [first, second]


def test_evaluate_refuses_in_one_line(shell: Any, tiny_melody: Path) -> None:
    assert "has no [evaluation] section" in shell.fails("evaluate", tiny_melody)
    assert "there is no folder nowhere" in shell.fails("evaluate", tiny_melody, "--data", "folk=nowhere")
    assert shell.fails("evaluate", "melody-2baar").startswith("no preset named 'melody-2baar'; did you mean")
    assert shell("evaluate", tiny_melody, "--limit", "1").exit_code == 2
