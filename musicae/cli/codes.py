"""The commands encode and decode: files <-> codes in an ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.errors import MusicaeError

from .results import Maker, reading, results, say_skipped, staged, writing

__all__ = ["decode", "encode"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--preset", metavar="NAME", help="A preset or a .safetensors file; by default what fits the first input.")
@reading
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The .npz file to write.")
@click.option("-f", "--force", is_flag=True, help="Overwrite what exists.")
def encode(
    files: tuple[Path, ...], preset: str | None, track: str | None, bars: str | None, fit: str | None,
    output: Path | None, force: bool,
) -> None:  # fmt: skip
    """Write the codes of files, or of all files in a folder, as one NumPy .npz file.

    Its arrays `mean` and `logvar` have a row for each window; the rest is what `decode` needs to write files again.
    It is named after the first file (or folder), beside it. In a folder, what cannot be read is left out, and named
    at the end.
    """
    from musicae import codes, inputs

    # Only a default is looked up here: so that a wrong file is told before a wrong output.
    name = preset if preset or any(file.is_dir() for file in files) else inputs.preset_for(files[0])
    first = files[0] if files[0].name not in ("", "..") else files[0].resolve()
    target = output or (first.with_name(f"{first.name}.npz") if first.is_dir() else first.with_suffix(".npz"))
    if target.suffix.lower() != ".npz":
        raise MusicaeError(f"-o {target}: codes are written as .npz; name a file that ends so")
    skipped: dict[str, str] | None = {} if any(file.is_dir() for file in files) else None
    with staged([target], force) as places:
        found = codes.encode(*files, preset=name, skipped=skipped, track=track, bars=bars, fit=fit)
        codes.save(found, places[target])
    click.echo(target)
    say_skipped(skipped or {}, len(found["counts"]) + len(skipped or {}))


@click.command(cls=Maker)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--preset", metavar="NAME", help="A preset or a .safetensors file; by default the one that encoded.")
@click.option(
    "--temperature", type=float, default=0.0, show_default=True, help="0: the likeliest values; 1: drawn ones."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Other draws for another number.")
@writing
def decode(file: Path, preset: str | None, temperature: float, seed: int, **options: Any) -> None:
    """Write the files that codes stand for.

    FILE is what `encode` made, its array `mean` perhaps changed. One file is named FILE-decoded.mid (or .png); of
    codes of several files a folder is made.
    """
    from musicae import codes, ops

    found = codes.load(file)
    codec = ops.codec_for(str(found["preset"]) if preset is None else preset)
    stems = [Path(name).stem for name in found["names"].tolist()]
    names = [f"{i:02d}-{stem}" for i, stem in enumerate(stems, start=1)]
    with results(codec, file.parent, f"{file.stem}-decoded", names, join=len(names) == 1, **options) as out:
        out.write(codes.decode(found, preset=codec, temperature=temperature, seed=seed), stems)
    out.report(preset=codec.preset.name)
