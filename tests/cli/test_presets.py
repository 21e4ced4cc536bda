"""The command presets."""

from __future__ import annotations

import json
from typing import Any

import pytest


def test_presets_lists_ours_and_those_of_others(
    shell: Any, entry_points: Any, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = shell.folder / "path_of_toy.py"
    target.write_text(f"PATH = {str(shell.folder / recipe)!r}\n")
    entry_points.add("presets", "toy", "path_of_toy:PATH", "musicae-toy")
    entry_points.add("presets", "wreck", "no_such_module:PATH", "musicae-wreck")
    monkeypatch.syspath_prepend(shell.folder)
    rows = {row["name"]: row for row in json.loads(shell.ok("presets", "--json"))}
    text = shell.ok("presets")
    assert rows["toy"] == {
        "name": "toy", "package": "musicae-toy", "trained": False, "description": "A tiny one",
    }  # fmt: skip
    assert {"melody-2bar", "drums-2bar"} <= set(rows)
    assert rows["melody-2bar"]["package"] == "musicae"
    assert "cannot be imported" in rows["wreck"]["description"]
    assert [line.split()[0] for line in text.splitlines()] == sorted(rows)


def test_presets_with_weights_are_trained(shell: Any) -> None:
    rows = {row["name"]: row["trained"] for row in json.loads(shell.ok("presets", "--json"))}
    assert rows["melody-2bar"]
    line = next(line for line in shell.ok("presets").splitlines() if line.startswith("melody-2bar "))
    assert "not trained" not in line
