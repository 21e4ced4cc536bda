"""The command play."""

from __future__ import annotations

from pathlib import Path

import click

from musicae.cli.shared.options import preset_option
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
def play(files: tuple[Path, ...], preset: str | None, port: int, browser: bool) -> None:
    """Open a page to play with: a pad on which one thing turns into another under your hand.

    FILES, up to four of a kind, are at the corners; drop others on the page. Where files are missing, draws are. The
    page is for this machine only. Ctrl-C ends it.
    """
    from musicae.web.server import play as serve

    serve(files, preset, port, browser, say, click.echo)
