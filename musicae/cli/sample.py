"""The command sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.completing import presets
from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    chords_option,
    count_option,
    join_option,
    numbered,
    seed_option,
    shift_option,
    step_names,
    transpose_option,
    writing,
)
from musicae.cli.shared.results import results
from musicae.errors import MusicaeError

__all__ = ["sample"]


@click.command(cls=OutputCommand)
@click.argument("name", metavar="[PRESET]", required=False, shell_complete=presets)
@click.option(
    "--preset",
    metavar="NAME",
    shell_complete=presets,
    help="The preset, if it is not the first word; by default one for melodies.",
)
@click.option("--label", metavar="CLASS", help="The class to make, of a conditional preset; by default each in turn.")
@count_option
@click.option(
    "--temperature", type=float, default=1.0, show_default=True, help="Below 1 more typical, above 1 more unusual."
)
@chords_option
@shift_option
@seed_option
@join_option
@transpose_option
@writing
def sample(
    name: str | None,
    preset: str | None,
    label: str | None,
    count: int,
    temperature: float,
    chords: str | None,
    shift: tuple[str, ...],
    seed: int,
    join: bool,
    **options: Any,
) -> None:
    """Make something new.

    PRESET is a name or a .safetensors file.

    The result is named PRESET-sample.mid (or .png), in the current folder.
    """
    import musicae
    from musicae.ops.choose import codec_for, default_preset
    from musicae.ops.conditions import label_of
    from musicae.ops.inputs import check_number

    check_number("the number of results", count, at_least=1)
    if name and preset and name != preset:
        raise MusicaeError(f"two presets are named, '{name}' and '{preset}'; leave one out")
    codec = codec_for(name or preset or default_preset("sample"))
    stem = f"{codec.preset.name}-sample{'' if label is None else f'-{label_of(codec, label)}'}"
    with results(codec, Path(), stem, OutputOptions(**options), step_names(count, False), join=join) as out:
        made = musicae.sample(codec, count, seed=seed, temperature=temperature, label=label, chords=chords, shift=shift)
        out.say(made[0].remarks)
        out.write(made, numbered(count))
    out.report(preset=codec.preset.name)
