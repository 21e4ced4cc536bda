"""The command map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicae.cli.shared.folders import index_option, index_path, say_left_out
from musicae.cli.shared.options import force_option, json_option, preset_option, seed_option, verbose_option
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import say_json
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from musicae.ops.map_folder import FolderMap

__all__ = ["map_folder"]


@click.command("map")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--method", metavar="pca|tsne", default="pca", show_default=True,
    help="pca: the two principal components of the codes; tsne: neighbours together, other distances mean little.",
)  # fmt: skip
@preset_option
@click.option("--only", metavar="melody|drums|band", help="Songs: read only this; it picks the preset.")
@index_option
@seed_option
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The .png file to write.")
@force_option
@json_option
@verbose_option
def map_folder(
    folder: Path,
    method: str,
    preset: str | None,
    only: str | None,
    index: Path | None,
    seed: int,
    output: Path | None,
    force: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Draw a map of the files of FOLDER: what is alike lies near together.

    Tunes, digits or sounds become points with the names of their files, as far as these have room. Files of different
    folders in FOLDER have different colours. The result is named FOLDER-map.png, beside the folder.
    """
    import musicae
    from musicae.ops.choose import check_only

    check_only(preset, only)
    named = folder if folder.name not in ("", "..") else folder.resolve()
    target = output or named.with_name(f"{named.name}-map.png")
    if target.suffix.lower() != ".png":
        raise MusicaeError(f"-o {target}: a map is a picture; name a file that ends in .png")
    with staged([target], force) as places:
        found = musicae.map_folder(
            folder, method=method, preset=preset, index=index_path(index), only=only, seed=seed,
            report=percent("files", least=100),
        )  # fmt: skip
        named_count = _draw(found, places[target], f"{named.name}, as {found.codec.preset.name} encodes it")
    count = len(found.paths)
    if verbose:
        say(f"preset {found.codec.preset.name}; {named_count} of {count} files have room for their name")
    say_left_out(found.skipped, count + len(found.skipped), verbose)
    if as_json:
        files = [
            {"path": str(path), "x": round(x, 4), "y": round(y, 4)}
            for path, (x, y) in zip(found.paths, found.points.tolist(), strict=True)
        ]
        facts = {"png": str(target), "preset": found.codec.preset.name, "method": method}
        say_json({**facts, "files": files, "skipped": found.skipped})
    else:
        show_path(target)


def _draw(found: FolderMap, place: Path, title: str) -> int:
    from musicae import plots

    folders = [name.partition("/")[0] if "/" in name else "" for name in found.names]
    stems = [Path(name).stem for name in found.names]
    return plots.named_points(found.points, stems, place, folders, axes=found.axes, title=title)
