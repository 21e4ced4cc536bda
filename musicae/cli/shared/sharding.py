"""The option --shard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from musicae.cli.shared.terminal import say
from musicae.errors import MusicaeError
from musicae.ops.shards import ALL, Shard, from_environment, parse

__all__ = ["shard_of", "shard_option"]

shard_option = click.option(
    "--shard",
    metavar="I/N",
    help="Folders: take only part I of N, so that N machines share the files; by default what SLURM or torchrun says.",
)


def shard_of(text: str | None, files: Sequence[Path]) -> Shard:
    """Return which of files, and of those in folders, to take: what the option says, for folders else the environment.

    Raise MusicaeError for an option that is wrong, or given with a single file.
    """
    folders = any(file.is_dir() for file in files)
    if text is not None:
        shard = parse(text)
        if not folders and len(files) == 1:
            raise MusicaeError("--shard is for a folder or several files; leave it out")
        return shard
    shard, variable = from_environment() if folders else (ALL, "")
    if variable:
        say(f"shard {shard.index}/{shard.count}, as {variable} says; --shard 1/1 takes all files")
    return shard
