"""The command vary."""

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
    label_option,
    numbered,
    one_file,
    preset_option,
    reading,
    seed_option,
    shift_option,
    step_names,
    writing,
)
from musicae.cli.shared.results import results

__all__ = ["vary"]


@click.command(cls=OutputCommand)
@one_file
@click.option(
    "--similarity",
    type=float,
    help="1: the file itself; 0: something new. Music: the share of the steps that stay as they were; pictures and "
    "sound: how near the result is, by the root mean square of the difference.  [default: 0.7, with --chords 1]",
)
@count_option
@seed_option
@chords_option
@shift_option
@keep_option
@preset_option
@label_option
@join_option
@reading
@writing
def vary(
    file: Path,
    similarity: float | None,
    count: int,
    seed: int,
    chords: str | None,
    shift: tuple[str, ...],
    keep: tuple[str, ...],
    preset: str | None,
    label: str | None,
    join: bool,
    only: str | None,
    read: dict[str, Any],
    **options: Any,
) -> None:
    """Make variations of a file.

    The result is named FILE-varied.mid (or .png), beside the file.
    """
    import musicae
    from musicae.ops.choose import codec_for
    from musicae.ops.inputs import check_number
    from musicae.ops.vary import usual_similarity

    check_number("the number of results", count, at_least=1)
    similarity = usual_similarity(chords) if similarity is None else similarity
    codec = codec_for(preset, file, only=only)
    names, output = step_names(count, False), OutputOptions(**options)
    notices: list[str] = []
    with results(codec, file.parent, f"{file.stem}-varied", output, names, join=join) as out:
        made = musicae.vary(
            file,
            similarity,
            count,
            preset=codec,
            seed=seed,
            label=label,
            keep=keep,
            chords=chords,
            shift=shift,
            notices=notices,
            **read,
        )
        remarks = made[0].remarks
        out.say(notices, remarks)
        out.write(made, numbered(count))
    out.report(preset=codec.preset.name, similarity=similarity, remarks=[*notices, *remarks])
