"""The command denoise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.completing import paths
from musicae.cli.shared.live import LiveOptions, denoise_live, list_devices, live_options
from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    fit_option,
    force_option,
    jobs_option,
    json_option,
    preset_option,
    verbose_option,
)
from musicae.cli.shared.restoring import restore, restore_pipe
from musicae.cli.shared.sharding import shard_option
from musicae.errors import MusicaeError

__all__ = ["denoise"]


@click.command(cls=OutputCommand)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@preset_option
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    shell_complete=paths,
    help="The file to write, for several the folder; - is stdout.",
)
@force_option
@jobs_option
@shard_option
@click.option("--strength", type=click.FloatRange(0, 1), default=1.0, help="Sound: how much of the noise to remove.")
@click.option("--keep-noise", type=click.Path(path_type=Path), metavar="FILE", help="Sound: write what was removed.")
@click.option("--png", metavar="[FILE]", help="Sound: draw the spectrograms before and after, and of what was removed.")
@click.option("--raw", default="", metavar="RATE:CHANNELS:FORMAT", help="Sound: what comes on stdin, as 48000:2:s16.")
@fit_option
@live_options
@json_option
@verbose_option
def denoise(
    files: tuple[Path, ...],
    preset: str | None,
    jobs: int,
    shard: str | None,
    strength: float,
    keep_noise: Path | None,
    raw: str,
    fit: str | None,
    live: LiveOptions,
    **options: Any,
) -> None:
    """Take the noise off recordings and pictures, or off all of them in a folder.

    The result is named FILE-denoised.wav, beside the file and of its kind; for a folder it is a folder with the same
    tree, in which files that exist already are left alone. Of several files, those that cannot be read are skipped, and
    named at the end. The file - is stdin, which goes to stdout with -o -; sound from a pipe (WAV, or what --raw
    describes) is denoised as it comes in. --live takes what a microphone hears and plays it without the noise.
    """
    from musicae.ops.restored import RestoreOptions

    out = OutputOptions(**options)
    if live.list_devices:
        list_devices(out)
        return
    if live.is_live:
        if files or keep_noise or out.png or raw or fit or shard or jobs > 1:
            raise MusicaeError("--live takes no files, and of the options for files only -o, --preset and --strength")
        denoise_live(preset, strength, live, out)
        return
    if live.others:
        raise MusicaeError(f"{live.others[0]} is for --live; add it, or leave this out")
    if not files:
        raise click.UsageError("Missing argument 'FILES...'.", click.get_current_context())
    settings = RestoreOptions(strength=strength, noise=keep_noise, raw=raw, read={"fit": fit})
    if str(files[0]) == "-":
        if len(files) > 1 or out.output != "-":
            raise MusicaeError("stdin goes to stdout, alone: musicae denoise - -o -")
        if keep_noise or out.png or out.as_json:
            raise MusicaeError("--keep-noise, --png and --json are for files, not for stdin")
        restore_pipe("denoise", preset, settings, out)
        return
    if raw:
        raise MusicaeError("--raw is for what comes on stdin: musicae denoise - -o -")
    restore("denoise", files, preset, settings, out, jobs, shard)
