"""Figures as rows of a table, and from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from musicae.errors import MusicaeError
from musicae.ops.figures import Row, read_figures, rows

FIGURES = {"accuracy": 0.9, "spread_accuracy": 0.01, "floor_accuracy": 0.5, "floor_pca": 0.25, "windows": 12}


def test_floors_and_spreads_stand_beside_their_figures() -> None:
    assert rows(FIGURES) == [
        Row("accuracy", 0.9, 0.01, 0.5), Row("floor_pca", 0.25, None, None), Row("windows", 12, None, None)
    ]  # fmt: skip


def test_figures_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(FIGURES))
    assert read_figures(path) == FIGURES


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", "{", '{"a": "b"}', '{"a": true}', '{"a": NaN}', '{"a b": 1}', '{"a": {"b": 1}}',
     "[" * 100_000, '{"<b>": 1}', "\xff"],
)  # fmt: skip
def test_anything_else_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "figures.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(MusicaeError, match=r"^[^\n]*does not hold what musicae evaluate --json prints[^\n]*$"):
        read_figures(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match=r"none\.json cannot be read: No such file"):
        read_figures(tmp_path / "none.json")
