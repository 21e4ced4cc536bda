"""The option --data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from musicae.cli.shared.completing import data_sets
from musicae.errors import MusicaeError

__all__ = ["data_option", "folders_of"]

data_option = click.option(
    "--data",
    multiple=True,
    metavar="[SET=]DIR",
    shell_complete=data_sets,
    help="Where a data set lies, as pop909=DIR (may be repeated); a folder alone is for the preset's last set.",
)


def folders_of(data: Sequence[str]) -> dict[str, Path]:
    """Return set -> folder; the name of a folder given alone is empty. Raise MusicaeError for one that is not there."""
    folders = {}
    for text in data:
        name, equals, folder = text.partition("=")
        name, path = (name, Path(folder)) if equals else ("", Path(text))
        if not path.is_dir():
            raise MusicaeError(f"--data {text}: there is no folder {path}; check the name")
        folders[name] = path
    return folders
