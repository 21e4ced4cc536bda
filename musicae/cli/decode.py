"""The command decode: codes to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.completing import presets
from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    seed_option,
    temperature_option,
    transpose_option,
    writing,
)
from musicae.cli.shared.results import results

__all__ = ["decode"]

_LONGEST = 60  # Characters of a file's name; file systems take 255 bytes.


@click.command(cls=OutputCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--preset",
    metavar="NAME",
    shell_complete=presets,
    help="A preset or a .safetensors file; by default the one that encoded.",
)
@temperature_option
@seed_option
@transpose_option
@writing
def decode(file: Path, preset: str | None, temperature: float, seed: int, **options: Any) -> None:
    """Write the files that codes stand for.

    FILE is what `encode` made, its array `mean` perhaps changed. One file is named FILE-decoded.mid (or .png); of
    codes of several files a folder is made.
    """
    from musicae.ops import codes

    found = codes.load(file)
    codec = codes.codec_of(found, preset)
    stems = [_stem(name) for name in found["names"].tolist()]
    names = [f"{i:02d}-{stem}" for i, stem in enumerate(stems, start=1)]
    with results(
        codec, file.parent, f"{file.stem}-decoded", OutputOptions(**options), names, join=len(names) == 1
    ) as out:
        out.write(codes.decode(found, preset=codec, temperature=temperature, seed=seed), stems)
    out.report(preset=codec.preset.name)


def _stem(name: str) -> str:
    """Return what a file is named after that codes call `name`: they may be anybody's."""
    stem = "".join(letter if letter.isprintable() and letter not in '/\\:*?"<>|' else "_" for letter in Path(name).stem)
    return stem[:_LONGEST] or "unnamed"
