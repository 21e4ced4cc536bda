"""The command quantize: a checkpoint with weights of 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from musicae.cli.shared.options import force_option, preset_argument
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError

__all__ = ["quantize"]


@click.command()
@preset_argument
@click.option(
    "--keep",
    multiple=True,
    metavar="PATTERN",
    help="Leave the tensors of such names in 16 bits, as 'model.encoder.*'; may be given several times.",
)
@click.option(
    "--also",
    multiple=True,
    metavar="PATTERN",
    help="Store what is not trained, such as principal components, in 8 bits too, if its name is such; see --keep.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="By default PRESET-int8.")
@force_option
def quantize(name: str, keep: Sequence[str], also: Sequence[str], output: Path | None, force: bool) -> None:
    """Write a trained preset with weights of 8 bits, which takes half of the space.

    PRESET is a name or a .safetensors file. Matrices and kernels are stored as 8-bit integers with a scale for each
    row. The new file works wherever the old one does; measure both with `musicae evaluate`.
    """
    from musicae import codec, hub
    from musicae.memory import in_bytes

    source = hub.weights(name)
    own = source if name.endswith(".safetensors") else Path(source.name)
    target = output or own.with_name(f"{own.stem}-int8.safetensors")
    if target.suffix != ".safetensors":
        raise MusicaeError(f"-o {target}: weights are written as .safetensors; name a file that ends so")
    with staged([target], force) as places:
        codec.load(str(source)).save(places[target], weights="int8", keep=keep, also=also)
        say(f"{in_bytes(places[target].stat().st_size)} instead of {in_bytes(source.stat().st_size)}")
    show_path(target)
