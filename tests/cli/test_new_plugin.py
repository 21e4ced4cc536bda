"""The command new-plugin."""

from __future__ import annotations

import json
from typing import Any


def test_it_writes_a_package(shell: Any) -> None:
    assert shell.ok("new-plugin", "my-rhythms") == "my-rhythms"
    assert 'my-rhythms = "my_rhythms.model:MyRhythms"' in (shell.folder / "my-rhythms" / "pyproject.toml").read_text()
    assert shell.fails("new-plugin", "my-rhythms") == "my-rhythms exists already; name another folder with -o"
    made = json.loads(shell.ok("new-plugin", "my-lines", "--kind", "adapter", "-o", "deep/lines", "--json"))
    assert made["path"] == "deep/lines"
    assert "deep/lines/my_lines/adapter.py" in made["files"]


def test_a_bad_name_is_one_line(shell: Any) -> None:
    assert "is no name for a package" in shell.fails("new-plugin", "My Plugin")
