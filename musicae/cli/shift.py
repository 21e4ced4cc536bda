"""The command shift."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.completing import attributes
from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    join_option,
    label_option,
    numbered,
    one_file,
    preset_option,
    reading,
    seed_option,
    step_names,
    writing,
)
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import results

__all__ = ["shift"]


@click.command(cls=OutputCommand)
@one_file
@click.argument("words", nargs=-1, required=True, metavar="ATTRIBUTE=VALUE...", shell_complete=attributes)
@click.option(
    "--steps", type=int, default=1, show_default=True, help="How many to write on the way, the last with all of it."
)
@seed_option
@preset_option
@label_option
@join_option
@reading
@writing
def shift(
    file: Path,
    words: tuple[str, ...],
    steps: int,
    seed: int,
    preset: str | None,
    label: str | None,
    join: bool,
    only: str | None,
    read: dict[str, Any],
    **options: Any,
) -> None:
    """Change attributes of a file: its notes a bar, its syncopation, the slant of a digit.

    density=+1 is a standard deviation (of the training data) more, syncopation=-0.5 half of one less, density=8 is 8
    notes a bar. `musicae attributes PRESET` lists the attributes. What each was and is stands on stderr.

    The result is named FILE-shifted.mid (or .png), beside the file.
    """
    import musicae
    from musicae.ops.choose import codec_for
    from musicae.ops.inputs import check_number

    check_number("steps", steps, at_least=1)
    codec = codec_for(preset, file, only=only)
    names, output = step_names(steps, False), OutputOptions(**options)
    with results(codec, file.parent, f"{file.stem}-shifted", output, names, join=join) as out:
        made = musicae.shift(
            file, *words, preset=codec, steps=steps, seed=seed, label=label, report=percent("windows", least=20), **read
        )
        said = [one.line() for one in made.changes]
        out.say([*said, *made.notices], [*made.remarks, *(one.line() for one in made.others)])
        out.write(made.parts, numbered(steps))
    out.report(
        preset=codec.preset.name,
        changes=[asdict(one) for one in made.changes],
        others=[asdict(one) for one in made.others],
        remarks=[*made.notices, *made.remarks],
    )
