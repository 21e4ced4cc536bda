"""The command upscale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    force_option,
    json_option,
    one_file,
    preset_option,
    verbose_option,
)
from musicae.cli.shared.restoring import restore_file

__all__ = ["upscale"]


@click.command(cls=OutputCommand)
@one_file
@click.option("--scale", type=int, metavar="N", help="How many times as large along each side: 2 (the default) or 4.")
@preset_option
@click.option("-o", "--output", metavar="PATH", help="The file to write; - is stdout.")
@force_option
@json_option
@verbose_option
def upscale(file: Path, scale: int | None, preset: str | None, **options: Any) -> None:
    """Enlarge a picture, or raise the sample rate of a recording, with the detail that is likely there.

    The result is named FILE-upscaled.jpg, beside the file and of its kind.
    """
    from musicae.ops.restored import RestoreOptions

    restore_file("upscale", file, preset, RestoreOptions(scale=scale), OutputOptions(**options))
