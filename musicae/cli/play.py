"""The command play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import preset_option, reading
from musicae.cli.shared.terminal import say

__all__ = ["play"]

_PORT = 8765


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@preset_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="The port, or the next one free."
)
@click.option("--browser/--no-browser", default=True, help="Open the page (the default), or print its address only.")
@reading
def play(
    files: tuple[Path, ...],
    preset: str | None,
    port: int,
    browser: bool,
    only: str | None,
    read: dict[str, Any],
) -> None:
    """Open a page to play with: a pad on which one thing turns into another under your hand.

    FILES, up to four of a kind, are at the corners; drop others on the page. Where files are missing, draws are. The
    page is for this machine only. Ctrl-C ends it.
    """
    from musicae.ops.choose import check_only, preset_for
    from musicae.web.server import play as serve

    check_only(preset, only)
    if only is not None and files:
        preset = preset_for(files[0], only=only)
    serve(files, preset, read, port, browser, say, click.echo)
