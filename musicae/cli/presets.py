"""The commands presets and show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from musicae.errors import MusicaeError

__all__ = ["presets", "show"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def presets(as_json: bool) -> None:
    """List all presets, those of other packages too."""
    from musicae import preset

    rows = [_row(name, owner) for name, owner in preset.listed().items()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    widths = [max((len(row[key]) for row in rows), default=0) for key in ("name", "package")]
    for row in rows:
        state = "trained    " if row["trained"] else "not trained"
        click.echo(f"{row['name']:{widths[0]}}  {row['package']:{widths[1]}}  {state}  {row['description']}")


def _row(name: str, owner: str) -> dict[str, Any]:
    from musicae import preset

    try:
        description = preset.load(name).description
        trained = preset.find(name).with_suffix(".safetensors").is_file()
    except MusicaeError as error:  # One broken preset must not hide the others.
        description, trained = f"({error})", False
    return {"name": name, "package": owner, "trained": trained, "description": description}


@click.command()
@click.argument("name", metavar="PRESET")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str, as_json: bool) -> None:
    """Print all that a preset says, and how large it is.

    PRESET is a name, a .toml file or a trained .safetensors file. Defaults are filled in; of a trained preset the
    settings are shown that it was trained with.
    """
    from musicae import checkpoint, codec, preset, train

    path = _weights(name)
    header = checkpoint.read_header(path) if path else {}
    recipe = preset.Preset.from_dict(header["preset"]) if path else preset.resolve(preset.load(name), train.fit)
    parts = codec.build(recipe).networks()
    facts: dict[str, Any] = {
        "parameters": {part: sum(p.numel() for p in network.parameters()) for part, network in parts.items()},
        "step": header.get("step", 0),
        "weights": str(path) if path else None,
        "bytes": path.stat().st_size if path else 0,
    }
    if as_json:
        click.echo(json.dumps({**recipe.as_dict(), **facts}, ensure_ascii=False))
        return
    click.echo(f"# {recipe.name}: {_counts(facts['parameters'])} parameters")
    click.echo(f"# {path}: step {facts['step']}, {facts['bytes'] / 2**20:.1f} MiB" if path else "# not trained yet")
    click.echo(_toml({"description": recipe.description, **recipe.sections}))


def _weights(name: str) -> Path | None:
    """Return the checkpoint of a preset's name or a ``.safetensors`` path, or None if it is not trained."""
    from musicae import preset

    if name.endswith(".safetensors"):
        return Path(name)
    found = preset.find(name).with_suffix(".safetensors")
    return found if found.is_file() else None


def _counts(parameters: Mapping[str, int]) -> str:
    each = ", ".join(f"{name} {count:,}" for name, count in parameters.items())
    return f"{sum(parameters.values()):,} ({each})" if len(parameters) > 1 else each.rpartition(" ")[2]


def _toml(tree: Mapping[str, Any]) -> str:
    """Return `tree`, values and tables of values, as TOML. A key without a value becomes a comment."""
    lines = [f"{key} = {_value(value)}" for key, value in tree.items() if not isinstance(value, Mapping)]
    for section, keys in tree.items():
        if isinstance(keys, Mapping):
            lines += ["", f"[{section}]"]
            lines += [f"# {key} is not set" if v is None else f"{key} = {_value(v)}" for key, v in keys.items()]
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)
