"""What adapters of drums share: where hits are in a tensor, and the `meta` of drums that come from a file."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from musicae.formats.music.bar_grid import Grid
from musicae.formats.music.parts import Notes

__all__ = ["details", "hits", "merged_remark"]


def hits(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Return the step and the row of each hit, a value over .5, of ``(9, T)``, in time order: int64 ``(N,)`` each."""
    step, row = (tensor > 0.5).T.nonzero(as_tuple=True)
    return step, row


def details(grid: Grid, notes: Notes, track: str, source: str, velocities: list[list[int]]) -> dict[str, Any]:
    """Return the `meta` of the drums `notes` of a file on a grid; `velocities` has a row for each class, or none."""
    return {
        "tempos": grid.tempos,
        "meters": grid.meters,
        "programs": [[0, int(notes.program[0])]],
        "keys": [],
        "swing": grid.swing,
        "track": track or "Drums",
        "source": source,
        "velocities": velocities,
    }


def merged_remark(count: int) -> list[str]:
    """Return the remark on hits that fell together, if there are any."""
    said = f"{count} hit(s) fell on the same step as another of their class; the louder one was kept"
    return [said] if count else []
