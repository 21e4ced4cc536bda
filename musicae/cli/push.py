"""The command push."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicae.cli.shared.data import data_option, folders_of
from musicae.cli.shared.options import force_option, json_option, preset_argument
from musicae.cli.shared.results import say_json
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show, show_path
from musicae.errors import MusicaeError
from musicae.formats.temporary import temporary_folder

if TYPE_CHECKING:
    from musicae.codec import Codec
    from musicae.ops.model_card import CardOptions
    from musicae.remote import Repository

__all__ = ["push"]


@click.command()
@preset_argument
@click.argument("repository", metavar="USER/NAME")
@click.option(
    "--figures",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What `musicae evaluate --json` printed; without it, the preset is measured now.",
)
@click.option("--no-figures", is_flag=True, help="Do not measure it: the card says so.")
@data_option
@click.option("--limit", type=click.IntRange(min=2), metavar="N", help="Measure on that many windows at random.")
@click.option("--license", "licence", default="", metavar="NAME", help="That of the weights, such as cc-by-4.0.")
@click.option(
    "--example",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For presets that denoise or upscale: a recording or picture to show before and after.",
)
@click.option("--private", is_flag=True, help="Let only those see it who may.")
@click.option("--message", default="", metavar="TEXT", help="What is new, for the list of commits.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Write it there; send nothing.")
@force_option
@json_option
def push(
    name: str,
    repository: str,
    figures: Path | None,
    no_figures: bool,
    data: Sequence[str],
    limit: int | None,
    licence: str,
    example: Path | None,
    private: bool,
    message: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Put a trained preset into a repository of the Hugging Face hub: it is hf:USER/NAME then, for everybody.

    PRESET is the folder of a training, a .safetensors file or a name. With the weights go the preset, attributes that
    are fitted, a picture, a sound, and a card with its figures and the licences of its data. Log in before, with
    `hf auth login`. -f adds a new version to a repository that exists; -o writes all of it into a folder, to look at.
    """
    folders = folders_of(data)
    from musicae.ops import push as ops
    from musicae.ops.figures import read_figures
    from musicae.ops.model_card import CardOptions

    if no_figures and (figures or data or limit):
        raise MusicaeError("--no-figures goes with none of --figures, --data and --limit; leave it out")
    repo, options = ops.target(repository), CardOptions(licence=licence)
    measured = read_figures(figures) if figures else {}
    codec = ops.load_trained(name)
    if output is None:
        ops.check_target(repo, force)
    if not figures and not no_figures:
        measured = _measured(codec, folders, limit)
    options = CardOptions(measured, options.licence)
    if output is not None:
        _write(codec, repo, options, example, output, force, as_json)
        return
    done = ops.push(codec, repository, options, private=private, message=message, new_version=force, example=example)
    if as_json:
        say_json(done._asdict())
    else:
        show(done.name)
        say(f"its page is {done.address}")


def _write(
    codec: Codec, repo: Repository, options: CardOptions, example: Path | None, output: Path, force: bool, as_json: bool
) -> None:
    """Write what would be sent into a folder."""
    from musicae.ops.push import bundle

    with temporary_folder() as folder:
        files = bundle(codec, repo, folder, options, example)
        targets = [output / path.name for path in files]
        with staged(targets, force) as places:
            for path, place in zip(files, targets, strict=True):
                places[place].write_bytes(path.read_bytes())
    if as_json:
        say_json({"paths": [str(path) for path in targets]})
    else:
        for path in targets:
            show_path(path)


def _measured(codec: Codec, folders: dict[str, Path], limit: int | None) -> dict[str, float]:
    """Return the figures of a codec. Raise MusicaeError, which says what else can be done, where there are none."""
    import musicae

    try:
        return musicae.evaluate(codec, folders, limit)
    except MusicaeError as error:
        raise MusicaeError(f"{error}; or give figures that you have with --figures, or --no-figures") from error
