"""The Groove MIDI Dataset 1.0.0: 1,150 drum performances with an official split (Gillick et al. 2019, CC BY 4.0)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache, fetch, scores
from musicae.datasets.shared.prepare import Plan, batched
from musicae.datasets.shared.shards import Piece
from musicae.datasets.shared.split import check
from musicae.errors import MusicaeError
from musicae.formats.folders import files_in

__all__ = ["groove"]

_URL = "https://storage.googleapis.com/magentadata/datasets/groove/groove-v1.0.0-midionly.zip"
_SHA256 = "651cbc524ffb891be1a3e46d89dc82a1cecb09a57c748c7b45b844c4841dcc1e"


def groove(adapter: Adapter, split: str, folder: Path | None, *, fills: bool = True) -> Windows:
    """Return one official split of the performances, quantised; without the fills if `fills` is false.

    Without a `folder` the set is downloaded (3 MB) into the user's data folder.
    """
    check(split)
    folder = folder or fetch.archive("groove", _URL, _SHA256)
    table = next((path for path in files_in(folder, [".csv"]) if path.name == "info.csv"), None)
    if table is None:
        raise MusicaeError(f"no info.csv of the Groove MIDI Dataset under {folder}; check the path given with --data")
    rows = _rows(table)
    files = [path for path in (table.parent / name for name in sorted(rows)) if path.is_file()]
    key = cache.fingerprint(files, table.parent, set="groove", adapter=adapter.__dict__, kind=type(adapter).__name__)
    batches = batched(files, [0] * len(files), scores.FILES_A_SHARD, 1)
    plan = Plan(f"drum performances under {folder}", key, batches, partial(_read_files, adapter, table.parent))

    def keep(name: str) -> bool:
        return rows[name]["split"] == split and (fills or rows[name]["beat_type"] == "beat")

    return scores.subset(scores.collect(adapter, plan), keep)


def _rows(table: Path) -> dict[str, dict[str, str]]:
    """Return the rows of ``info.csv`` by the names of their files, those that lie beside it."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = [
                {key: str(row[key]) for key in ("midi_filename", "split", "beat_type")} for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, csv.Error):
        raise MusicaeError(f"{table} is damaged; get the Groove MIDI Dataset again") from None
    inside = [row for row in rows if not Path(row["midi_filename"]).anchor and ".." not in row["midi_filename"]]
    return {row["midi_filename"]: row for row in inside if "\0" not in row["midi_filename"]}


def _read_files(adapter: Adapter, folder: Path, paths: Sequence[Path]) -> list[Piece]:
    return [scores.read_piece(adapter, path.relative_to(folder).as_posix(), path) for path in paths]
