"""The command show."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from musicae import preset


@pytest.mark.parametrize("name", preset.listed())
def test_show_prints_toml_that_says_the_same(shell: Any, name: str) -> None:
    text = shell.ok("show", name)
    tree = tomllib.loads(text)
    found = json.loads(shell.ok("show", name, "--json"))
    for section, keys in preset.load(name).sections.items():
        assert keys.items() <= tree[section].items()
        assert {key: value for key, value in found[section].items() if value is not None} == tree[section]
    assert sum(found["parameters"].values()) > 1000
    assert f"{sum(found['parameters'].values()):,}" in text


def test_show_reads_a_checkpoint(shell: Any, tiny_melody: Path) -> None:
    found = json.loads(shell.ok("show", tiny_melody, "--json"))
    assert (found["name"], found["step"], found["bytes"]) == ("tiny-melody", 7, tiny_melody.stat().st_size)
    text = shell.ok("show", tiny_melody)
    assert f"# {tiny_melody}: step 7, " in text
    assert tomllib.loads(text)["model"]["latent"] == 8


def test_show_refuses(shell: Any) -> None:
    assert shell.fails("show", "melody-2baar") == "no preset named 'melody-2baar'; did you mean 'melody-2bar'?"
    assert shell.fails("show", "no.safetensors") == "no checkpoint at no.safetensors; check the path"
