"""The command presets."""

from __future__ import annotations

from typing import Any

import click

from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import show
from musicae.errors import MusicaeError

__all__ = ["presets"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def presets(as_json: bool) -> None:
    """List all presets, those of other packages too."""
    from musicae import preset

    rows = [_row(name, owner) for name, owner in preset.listed().items()]
    if as_json:
        say_json(rows)
        return
    widths = [max((len(row[key]) for row in rows), default=0) for key in ("name", "package")]
    for row in rows:
        state = "trained    " if row["trained"] else "not trained"
        show(f"{row['name']:{widths[0]}}  {row['package']:{widths[1]}}  {state}  {row['description']}")


def _row(name: str, owner: str) -> dict[str, Any]:
    from musicae import hub, preset

    try:
        description = preset.load(name).description
        trained = hub.find_weights(name) is not None
    except MusicaeError as error:  # One broken preset must not hide the others.
        description, trained = f"({error})", False
    return {"name": name, "package": owner, "trained": trained, "description": description}
