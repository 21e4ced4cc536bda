"""The command encode: files to codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import force_option, label_option, preset_option, reading
from musicae.cli.shared.results import say_skipped
from musicae.cli.shared.sharding import shard_of, shard_option
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import show_path
from musicae.errors import MusicaeError

__all__ = ["encode"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@preset_option
@label_option
@reading
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The .npz file to write.")
@force_option
@shard_option
def encode(
    files: tuple[Path, ...],
    preset: str | None,
    label: str | None,
    only: str | None,
    read: dict[str, Any],
    output: Path | None,
    force: bool,
    shard: str | None,
) -> None:
    """Write the codes of files, or of all files in a folder, as one NumPy .npz file.

    Its arrays `mean` and `logvar` have a row for each window; the rest is what `decode` needs to write files again.
    It is named after the first file (or folder), beside it. Files of a folder that cannot be read are skipped, and
    named at the end. With --shard 3/10 the file is named NAME-3-of-10.npz.
    """
    from musicae.ops import codes
    from musicae.ops.choose import check_only, preset_for, preset_for_several

    # A default is looked up here, so that a wrong file is reported before a wrong output.
    check_only(preset, only)
    has_folder = any(file.is_dir() for file in files)
    name = preset or (preset_for_several(files, only) if has_folder else preset_for(files[0], only=only))
    first = files[0] if files[0].name not in ("", "..") else files[0].resolve()
    target = output or (first.with_name(f"{first.name}.npz") if first.is_dir() else first.with_suffix(".npz"))
    if target.suffix.lower() != ".npz":
        raise MusicaeError(f"-o {target}: codes are written as .npz; name a file that ends so")
    mine = shard_of(shard, files)
    if mine.count > 1:  # Each shard writes a file of its own.
        target = target.with_name(f"{target.stem}-{mine.index}-of-{mine.count}{target.suffix}")
    skipped: dict[str, str] | None = {} if has_folder else None
    with staged([target], force) as places:
        found = codes.encode(*files, preset=name, label=label, skipped=skipped, shard=mine, **read)
        codes.save(found, places[target])
    show_path(target)
    say_skipped(skipped or {}, len(found["counts"]) + len(skipped or {}))
