"""The command upscale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.completing import paths
from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    force_option,
    jobs_option,
    json_option,
    preset_option,
    verbose_option,
)
from musicae.cli.shared.restoring import restore
from musicae.cli.shared.sharding import shard_option

__all__ = ["upscale"]


@click.command(cls=OutputCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--scale", type=int, metavar="N", help="How many times as large along each side: 2 (the default) or 4.")
@preset_option
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    shell_complete=paths,
    help="The file to write, for several the folder; - is stdout.",
)
@force_option
@jobs_option
@shard_option
@json_option
@verbose_option
def upscale(
    files: tuple[Path, ...], scale: int | None, preset: str | None, jobs: int, shard: str | None, **options: Any
) -> None:
    """Enlarge pictures, or raise the sample rate of recordings, with the detail that is likely there.

    The result is named FILE-upscaled.jpg, beside the file and of its kind; for a folder it is a folder with the same
    tree, in which files that exist already are left alone. Of several files, those that cannot be read are skipped, and
    named at the end.
    """
    from musicae.ops.restored import RestoreOptions

    settings = RestoreOptions(scale=scale)
    restore("upscale", files, preset, settings, OutputOptions(**options), jobs, shard)
