"""The command score."""

from __future__ import annotations

from pathlib import Path

import click

from musicae.cli.shared.data import data_option, folders_of
from musicae.cli.shared.options import preset_option
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import say_json, say_skipped
from musicae.cli.shared.sharding import shard_of, shard_option
from musicae.cli.shared.terminal import say, show_path

__all__ = ["score"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@preset_option
@data_option
@click.option("--seed", type=int, default=0, show_default=True, help="Other training windows for another number.")
@shard_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def score(
    files: tuple[Path, ...], preset: str | None, data: tuple[str, ...], seed: int, shard: str | None, as_json: bool
) -> None:
    """Score how unlike its training data files look to a preset.

    Prints a line for each file (of a folder, for all in it): its score, the share of 5,000 random training examples
    that score less, and its path. The score is -ELBO in nats a dimension, of a plain autoencoder the mean squared
    error. A file at 100 % is stranger than all of the training data.
    """
    folders = folders_of(data)
    from musicae.ops import score as scoring

    report, mine = percent("files", least=100), shard_of(shard, files)
    made = scoring.score(*files, preset=preset, folders=folders, seed=seed, report=report, shard=mine)
    if as_json:
        rows = [{"path": str(one.path), "score": one.value, "percentile": one.percentile} for one in made.files]
        facts = {
            "preset": made.codec.preset.name,
            "measure": made.measure,
            "files": rows,
            "skipped": made.skipped,
            "training": {"count": len(made.known), "median": made.known.median().item()},
        }
        say_json(facts)
    else:
        say(f"{scoring.MEASURES[made.measure]}; training median {made.known.median().item():.4g}")
        for one in made.files:
            show_path(one.path, f"{one.value:9.4g}  {one.percentile:6.2f} %  ")
    say_skipped(made.skipped, len(made.files) + len(made.skipped))
