"""The command personalize."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.folders import say_left_out
from musicae.cli.shared.options import force_option, json_option, preset_argument, reading, seed_option, verbose_option
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import say_json
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError

__all__ = ["personalize"]

_SUFFIX = ".safetensors"


@click.command()
@preset_argument
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--variety", type=float, default=0.7, show_default=True,
    help="Over 0 to 1: near 0 what is drawn is close to single windows of the files, at 1 it is freest.",
)  # fmt: skip
@reading
@seed_option
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The .safetensors file to write.")
@force_option
@json_option
@verbose_option
def personalize(
    name: str,
    files: tuple[Path, ...],
    variety: float,
    only: str | None,
    read: dict[str, Any],
    seed: int,
    output: Path | None,
    force: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Make a model of your own: PRESET, fitted to 3 or more of your files (of a folder, all in it).

    PRESET is a name or a .safetensors file. What it makes up, and how it varies, is then like your files. The result is
    named after the first file or folder, in the current folder, and is a preset for all commands.
    """
    if only is not None:
        raise MusicaeError("--only picks a preset, and PRESET names one; leave it out")
    import musicae
    from musicae import codec, hub
    from musicae.ops import attributes

    base = codec.load(name)
    fitted = attributes.load(base) if attributes.has(base) else None
    first = files[0] if files[0].name not in ("", "..") else files[0].resolve()
    target = output or Path(first.name if first.is_dir() else first.stem)
    if target.suffix != _SUFFIX:
        target = target.with_name(f"{target.name}{_SUFFIX}")
    beside = [hub.attributes_of(target)] if fitted else []  # Codes are as before, and so is what moves them.
    with staged([target, *beside], force) as places:
        made = musicae.personalize(
            base, *files, name=target.stem, variety=variety, seed=seed, report=percent("files", least=20), **read
        )
        made.codec.save(places[target])
        if fitted:
            attributes.save(replace(made.codec, path=places[target]), fitted)
    count = made.files + len(made.skipped)
    if verbose:
        say(f"preset {base.preset.name}, fitted to {made.windows} windows of {made.files} files")
    say_left_out(made.skipped, count, verbose)
    if as_json:
        facts = {"preset": base.preset.name, "files": made.files, "windows": made.windows, "skipped": made.skipped}
        say_json({"path": str(target), **facts})
    else:
        show_path(target)
