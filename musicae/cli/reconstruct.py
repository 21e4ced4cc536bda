"""The command reconstruct."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    label_option,
    one_file,
    preset_option,
    reading,
    writing,
)
from musicae.cli.shared.results import results

__all__ = ["reconstruct"]


@click.command(cls=OutputCommand)
@one_file
@preset_option
@label_option
@reading
@writing
def reconstruct(
    file: Path,
    preset: str | None,
    label: str | None,
    only: str | None,
    read: dict[str, Any],
    **options: Any,
) -> None:
    """Encode a file and decode it again, to see what is kept.

    The result is named FILE-reconstructed.mid (or .png). The accuracy goes to stderr: the share of the steps that
    are right, of a song the mean over its parts; for pictures and sounds the share of the variance, for pictures the
    PSNR as well.
    """
    import musicae
    from musicae.ops.choose import codec_for

    codec = codec_for(preset, file, only=only)
    with results(codec, file.parent, f"{file.stem}-reconstructed", OutputOptions(**options)) as out:
        made = musicae.reconstruct(file, preset=codec, label=label, **read)
        psnr = "" if made.psnr is None else f", PSNR {made.psnr:.2f} dB"
        out.say([f"accuracy {made.accuracy:.4f}{psnr}"], made.remarks)
        out.write([made.sample], [f"{file.stem}, {made.accuracy:.1%} right"])
    facts = {} if made.psnr is None else {"psnr": made.psnr}
    out.report(preset=codec.preset.name, accuracy=made.accuracy, remarks=made.remarks, **facts)
