"""The command accompany."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    chords_option,
    count_option,
    join_option,
    keep_option,
    numbered,
    one_file,
    preset_option,
    reading,
    seed_option,
    step_names,
    writing,
)
from musicae.cli.shared.results import results

__all__ = ["accompany"]


@click.command(cls=OutputCommand)
@one_file
@chords_option
@click.option("--style", type=click.Path(path_type=Path), metavar="FILE", help="A song that the band is to play like.")
@count_option
@click.option(
    "--temperature", type=float, default=1.0, show_default=True, help="Below 1 more typical, above 1 more unusual."
)
@keep_option
@seed_option
@preset_option
@join_option
@reading
@writing
def accompany(
    file: Path,
    chords: str | None,
    style: Path | None,
    count: int,
    temperature: float,
    keep: tuple[str, ...],
    seed: int,
    preset: str | None,
    join: bool,
    only: str | None,
    read: dict[str, Any],
    **options: Any,
) -> None:
    """Give a tune a band: bass, harmony and drums, or whatever it lacks.

    The parts of FILE stay as they are. Chords are found for it where none are given. The result is named
    FILE-accompanied.mid, beside the file.
    """
    import musicae
    from musicae.ops.choose import codec_for
    from musicae.ops.inputs import check_number

    check_number("the number of results", count, at_least=1)
    codec = codec_for(preset, file, job="accompany", only=only)
    names, output = step_names(count, False), OutputOptions(**options)
    notices: list[str] = []
    with results(codec, file.parent, f"{file.stem}-accompanied", output, names, join=join) as out:
        made = musicae.accompany(
            file,
            count,
            preset=codec,
            chords=chords,
            style=style,
            keep=keep,
            seed=seed,
            temperature=temperature,
            notices=notices,
            **read,
        )
        remarks = made[0].remarks
        out.say(notices, remarks)
        out.write(made, numbered(count))
    out.report(preset=codec.preset.name, remarks=[*notices, *remarks])
