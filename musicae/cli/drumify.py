"""The command drumify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    amount_option,
    count_option,
    join_option,
    like_option,
    numbered,
    one_file,
    preset_option,
    seed_option,
    step_names,
    writing,
)
from musicae.cli.shared.results import results

__all__ = ["drumify"]


@click.command(cls=OutputCommand)
@one_file
@amount_option
@like_option
@count_option
@click.option(
    "--temperature", type=float, default=1.0, show_default=True, help="Of all but the first: below 1 more typical."
)
@seed_option
@click.option("--track", metavar="TRACK", help="MIDI: the track of the taps, by its number (from 1) or its name.")
@click.option("--bars", metavar="A-B", help="MIDI: the bars to read, such as 5-8 or 3, counted from 1.")
@preset_option
@join_option
@writing
def drumify(
    file: Path,
    amount: float,
    like: Path | None,
    count: int,
    temperature: float,
    seed: int,
    track: str | None,
    bars: str | None,
    preset: str | None,
    join: bool,
    **options: Any,
) -> None:
    """Make drums of taps on a table.

    FILE is a recording of taps, whose tempo is found unless --tempo names it, or a MIDI file of notes of any kind. The
    result is named FILE-drums.mid, beside the file.
    """
    import musicae
    from musicae.ops.choose import codec_for
    from musicae.ops.defaults import default_preset
    from musicae.ops.inputs import check_number

    check_number("the number of results", count, at_least=1)
    codec = codec_for(preset or default_preset("drumify"))
    names, output = step_names(count, False), OutputOptions(**options)
    with results(codec, file.parent, f"{file.stem}-drums", output, names, join=join) as out:
        made = musicae.drumify(
            file,
            count,
            preset=codec,
            tempo=output.tempo,
            amount=amount,
            like=like,
            seed=seed,
            temperature=temperature,
            track=track,
            bars=bars,
        )
        remarks = made[0].remarks
        out.say([], remarks)
        out.write(made, numbered(count))
    out.report(preset=codec.preset.name, tempo=made[0].meta["tempos"][0][1], remarks=remarks)
