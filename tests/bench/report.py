"""Tables of figures, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Value = float | str | None


@dataclass(frozen=True)
class Setting:
    """What all sections share.

    `data` has a folder for each data set that was named, `peers` is the Python that has the peers, and `folder` is for
    whatever a section writes.
    """

    quick: bool
    data: Mapping[str, Path]
    peers: Path
    folder: Path


@dataclass(frozen=True)
class Table:
    """A table: what was measured, its columns with the format of their numbers, its rows, and what they mean."""

    title: str
    columns: Mapping[str, str]
    rows: Sequence[Sequence[Value]]
    note: str = ""

    def markdown(self) -> str:
        """Return the table; numbers are set to the right."""
        lines = [f"**{self.title}**", ""]
        lines.append(f"| {' | '.join(self.columns)} |")
        lines.append(f"|{'|'.join('---:' if spec else '---' for spec in self.columns.values())}|")
        for row in self.rows:
            cells = [_cell(value, spec) for value, spec in zip(row, self.columns.values(), strict=True)]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join([*lines, "", self.note, ""] if self.note else [*lines, ""])

    def json(self) -> dict[str, Any]:
        """Return the same for a program."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "note": self.note}


def _cell(value: Value, spec: str) -> str:
    return "" if value is None else value if isinstance(value, str) else format(value, spec)
