"""The command show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from musicae.cli.shared.options import preset_argument
from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import show as say_line

__all__ = ["show"]


@click.command()
@preset_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str, as_json: bool) -> None:
    """Print all that a preset says, and how large it is.

    PRESET is a name, a .toml file or a trained .safetensors file. Defaults are filled in; of a trained preset the
    settings are shown that it was trained with.
    """
    from musicae import checkpoint, codec, hub
    from musicae import preset as presets
    from musicae.training.options import TrainingOptions

    path = hub.find_weights(name)
    header = checkpoint.read_header(path) if path else {}
    preset = presets.Preset.from_dict(header["preset"]) if path else presets.resolve(hub.recipe(name), TrainingOptions)
    parts = codec.build(preset).networks()
    facts: dict[str, Any] = {
        "parameters": {part: sum(p.numel() for p in network.parameters()) for part, network in parts.items()},
        "step": header.get("step", 0),
        "weights": str(path) if path else None,
        "bytes": path.stat().st_size if path else 0,
    }
    if as_json:
        say_json({**preset.as_dict(), **facts})
        return
    say_line(f"# {preset.name}: {_counts(facts['parameters'])} parameters")
    say_line(f"# {path}: step {facts['step']}, {facts['bytes'] / 2**20:.1f} MiB" if path else "# not trained yet")
    for line in presets.as_toml(preset).split("\n"):
        say_line(line)


def _counts(parameters: Mapping[str, int]) -> str:
    each = ", ".join(f"{name} {count:,}" for name, count in parameters.items())
    return f"{sum(parameters.values()):,} ({each})" if len(parameters) > 1 else each.rpartition(" ")[2]
