"""The command humanize."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    amount_option,
    like_option,
    one_file,
    preset_option,
    reading,
    writing,
)
from musicae.cli.shared.results import results
from musicae.errors import MusicaeError

__all__ = ["humanize"]


@click.command(cls=OutputCommand)
@one_file
@amount_option
@like_option
@preset_option
@reading
@writing
def humanize(
    file: Path,
    amount: float,
    like: Path | None,
    preset: str | None,
    only: str | None,
    read: dict[str, Any],
    **options: Any,
) -> None:
    """Play programmed drums as a drummer does, with timing and loudness.

    FILE is a beat, or a song, of which all but the timing and the loudness of the drums stays as it is. The result is
    named FILE-humanized.mid, beside the file.
    """
    import musicae
    from musicae.ops.choose import codec_for
    from musicae.ops.grooves import check_amount

    check_amount(amount)
    output = OutputOptions(**options)
    if output.tempo is not None or output.program:
        raise MusicaeError("humanize changes only how drums are played; leave out --tempo and --program")
    codec = codec_for(preset, file, job="humanize", only=only)
    with results(codec, file.parent, f"{file.stem}-humanized", output) as out:
        made = musicae.humanize(file, preset=codec, amount=amount, like=like, **read)
        out.say([], made.remarks)
        out.write([made], [file.stem])
    out.report(preset=codec.preset.name, amount=amount, remarks=made.remarks)
