"""The command new-plugin."""

from __future__ import annotations

from pathlib import Path

import click

from musicae.cli.shared.options import json_option
from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import say, show_path

__all__ = ["new_plugin"]


@click.command("new-plugin")
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    type=click.Choice(["adapter", "dataset", "model"]),
    default="model",
    show_default=True,
    help="The part it adds: a network, a data set, or an adapter for another kind of file.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="By default NAME, here.")
@json_option
def new_plugin(name: str, kind: str, output: Path | None, as_json: bool) -> None:
    """Write a package that adds a part to musicae: something that works, to be made yours.

    NAME is that of the package, of its part and of its preset, such as my-rhythms. It comes with entry points, tests
    that pass, a README and a workflow that runs the tests.
    """
    from musicae.ops.new_plugin import new_plugin as write

    folder = output or Path(name)
    files = write(name, kind, folder)
    if as_json:
        say_json({"path": str(folder), "files": [str(path) for path in files]})
        return
    show_path(folder)
    say(f"install and test it: pip install -e '{folder}[test]' && pytest {folder}")
