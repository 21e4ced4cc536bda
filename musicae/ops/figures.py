"""The figures of an evaluation: read from a file, and as rows of a table."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from musicae.errors import MusicaeError

__all__ = ["Row", "read_figures", "rows"]

_NAME = re.compile(r"[\w.+-]{1,100}", re.ASCII)
_MAX_SIZE = 2**20  # Bytes of a file of figures.


class Row(NamedTuple):
    """A figure with half of its 95 % interval and what a simple rival reaches; None where these are not measured."""

    name: str
    value: float
    spread: float | None
    floor: float | None


def rows(figures: Mapping[str, float]) -> list[Row]:
    """Return the rows of figures.

    A floor or a spread stands beside its figure; a floor named after a rival (``floor_pca``) in a row of its own.
    """
    found = []
    for name, value in figures.items():
        kind, _, of = name.partition("_")
        if kind not in ("floor", "spread") or of not in figures:
            found.append(Row(name, value, figures.get(f"spread_{name}"), figures.get(f"floor_{name}")))
    return found


def read_figures(path: Path) -> dict[str, float]:
    """Return what `musicae evaluate --json` printed into a file. Raise MusicaeError, one line, for anything else."""
    other = MusicaeError(f"{path} does not hold what musicae evaluate --json prints; write it with > {path.name}")
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MAX_SIZE))
    except OSError as error:
        raise MusicaeError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise other from None
    if not isinstance(found, dict) or not found:
        raise other
    for name, value in found.items():
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not _NAME.fullmatch(name) or not number:
            raise other
    return found
