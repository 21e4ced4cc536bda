"""The command similar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.folders import index_option, index_path, say_left_out
from musicae.cli.shared.options import json_option, one_file, preset_option, reading, verbose_option
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import say, show_path

__all__ = ["similar"]


@click.command()
@one_file
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-n", "count", type=int, default=10, show_default=True, help="How many files to name.")
@preset_option
@reading
@index_option
@json_option
@verbose_option
def similar(
    file: Path,
    folder: Path,
    count: int,
    preset: str | None,
    only: str | None,
    read: dict[str, Any],
    index: Path | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Find the files of a folder that are nearest to FILE.

    Prints a line for each, the nearest first: its distance, for music by how many semitones it lies above FILE, and its
    path. Tunes are found in any key. The first time all files of FOLDER are encoded, afterwards only what is new.
    """
    import musicae
    from musicae.ops.choose import check_only

    check_only(preset, only)
    found = musicae.similar(
        file, folder, count, preset=preset, index=index_path(index), only=only,
        report=percent("files", least=100), **read,
    )  # fmt: skip
    if verbose:
        say(f"preset {found.codec.preset.name}; {found.encoded} of {found.files} files were encoded")
    say_left_out(found.skipped, found.files, verbose)
    if as_json:
        matches = [
            {"path": str(one.path), "distance": round(one.distance, 4), "transposed": one.transposed}
            for one in found.matches
        ]
        say_json({"preset": found.codec.preset.name, "matches": matches, "skipped": found.skipped})
        return
    moved = any(one.transposed for one in found.matches)
    for one in found.matches:
        show_path(one.path, f"{one.distance:8.2f}  {f'{one.transposed:+3d}  ' if moved else ''}")
