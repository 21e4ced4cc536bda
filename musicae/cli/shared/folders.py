"""What the commands share that look at all files of a folder by their codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from musicae.cli.shared.terminal import say
from musicae.errors import MusicaeError

__all__ = ["index_option", "index_path", "say_left_out"]

index_option = click.option(
    "--index", type=click.Path(path_type=Path), metavar="FILE", help="The .npz file that keeps the codes of FOLDER, "
    "so that they are computed once; by default one in the cache.",
)  # fmt: skip


def index_path(index: Path | None) -> Path | None:
    """Return the file of an index. Raise MusicaeError for another kind of file."""
    if index is not None and (index.suffix.lower() != ".npz" or index.is_dir()):
        raise MusicaeError(f"--index {index}: an index is an .npz file; name one")
    return index


def say_left_out(skipped: Mapping[str, str], of: int, verbose: bool) -> None:
    """Say how many files of a folder could not be read, if any; if `verbose`, which, and why."""
    for name, reason in skipped.items() if verbose else ():
        say(reason if name in reason else f"{name}: {reason}")
    if skipped:
        say(f"{len(skipped)} of {of} files could not be read and were left out{'' if verbose else '; -v says why'}")
