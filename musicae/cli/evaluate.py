"""The command evaluate."""

from __future__ import annotations

from collections.abc import Sequence

import click

from musicae.cli.shared.data import data_option, folders_of
from musicae.cli.shared.options import preset_argument
from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import printable

__all__ = ["evaluate"]


@click.command()
@preset_argument
@data_option
@click.option("--limit", type=click.IntRange(min=2), metavar="N", help="Take that many windows at random, not all.")
@click.option(
    "--against", default="", metavar="NAMES", help="Sound: measure other programs too, as rnnoise,noisereduce."
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="evaluation.KEY=VALUE",
    help="Change a setting of the evaluation, as evaluation.lm=melody-lm.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one flat JSON object.")
def evaluate(
    name: str, data: Sequence[str], limit: int | None, against: str, changes: Sequence[str], as_json: bool
) -> None:
    """Measure a trained preset on held-out data.

    PRESET is a name or a .safetensors file.

    Each figure stands beside its floor, what a simple rival reaches, and its spread, half of its 95 % interval.
    """
    folders = folders_of(data)
    import musicae

    figures = musicae.evaluate(name, folders, limit, against, changes)
    if as_json:
        say_json(figures)
    else:
        _table(name, figures)


def _table(name: str, figures: dict[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from musicae.ops.figures import rows

    table = Table(title=Text(printable(name)))
    table.add_column("figure")
    for column in ("value", "spread", "floor"):
        table.add_column(column, justify="right")
    for row in rows(figures):
        cells = ["" if number is None else f"{number:.4g}" for number in row[1:]]
        table.add_row(Text(printable(row.name)), *cells)
    Console().print(table)
