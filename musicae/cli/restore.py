"""The commands denoise and upscale."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicae.errors import MusicaeError

from .results import Maker, make_folder, percent, results, say_skipped, usual_suffix

if TYPE_CHECKING:
    from musicae.codec import Codec
    from musicae.ops import Restored

__all__ = ["denoise", "upscale"]

preset_option = click.option(
    "--preset", metavar="NAME", help="A preset or a .safetensors file; by default what fits the first input."
)
force_option = click.option("-f", "--force", is_flag=True, help="Overwrite what exists.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of paths.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Explain each choice in a line.")


@click.command(cls=Maker)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@preset_option
@click.option("-o", "--output", metavar="PATH", help="The file to write, of several the folder; - is stdout.")
@force_option
@json_option
@verbose_option
def denoise(files: tuple[Path, ...], preset: str | None, **options: Any) -> None:
    """Take the noise off files, or off all files in a folder.

    The result is named FILE-denoised.jpg, beside the file and of its kind; of a folder it is a folder with the
    same tree. Of several files, those that cannot be read are left out, and named at the end.
    """
    from musicae import ops

    output = options["output"]
    if len(files) == 1 and not files[0].is_dir() and not (output and Path(output).is_dir()):
        _one(ops.codec_for(preset, files[0], verb="denoise"), files[0], "denoised", ops.denoise, **options)
    else:
        _many(files, preset, "denoised", ops.denoise, **options)


@click.command(cls=Maker)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scale", type=int, metavar="N", help="How many times as large along each side: 2 (the default) or 4.")
@preset_option
@click.option("-o", "--output", metavar="PATH", help="The file to write; - is stdout.")
@force_option
@json_option
@verbose_option
def upscale(file: Path, scale: int | None, preset: str | None, **options: Any) -> None:
    """Enlarge a picture, with the detail that is likely there.

    The result is named FILE-upscaled.jpg, beside the file and of its kind.
    """
    from musicae import inputs, ops

    name = preset or inputs.upscaling_preset(file, 2 if scale is None else scale)
    _one(ops.codec_for(name), file, "upscaled", partial(ops.upscale, scale=scale), **options)


def _one(codec: Codec, file: Path, done: str, verb: Callable[..., Restored], **options: Any) -> None:
    with results(codec, file.parent, f"{file.stem}-{done}", [], join=True, suffix=file.suffix, **options) as out:
        made = verb(file, preset=codec, report=percent("tiles", least=1))
        out.say([], made.remarks)
        out.write([made.sample])
    out.report(preset=codec.preset.name, remarks=made.remarks)


def _many(
    given: tuple[Path, ...], preset: str | None, done: str, verb: Callable[..., Restored], *,
    output: str | None, force: bool, as_json: bool, verbose: bool,
) -> None:  # fmt: skip
    """Restore files one by one, each whole when its path is printed, and go on where one cannot be read."""
    from musicae import inputs

    if output == "-":
        raise MusicaeError("-o - writes one file to stdout; name a folder for several")
    into = Path(output) if output else None
    if into and into.exists() and not into.is_dir():
        raise MusicaeError(f"-o {into} is a file; name a folder for several files")
    codec, files = inputs.gather(preset, *given, verb="denoise", leave_out=into)
    targets = _targets(codec, given, files, into, done)
    for target in targets:
        if target.exists() and not force:
            raise MusicaeError(f"{target} exists already; -f overwrites it, -o names another folder")
    skipped: dict[str, str] = {}
    show, written = percent("files", least=1), []
    with ExitStack() as cleaning:
        for i, ((file, _), target) in enumerate(zip(files, targets, strict=True)):
            show(i, len(files))
            try:
                made = verb(file, preset=codec)
            except MusicaeError as error:
                if len(files) == 1:
                    raise
                skipped[str(file)] = str(error)
                continue
            make_folder(target.parent, cleaning)
            codec.adapter.write(made.sample, target)
            written.append(str(target))
            for remark in made.remarks if verbose else ():
                click.echo(remark, err=True)
            if not as_json:
                click.echo(target)
        show(len(files), len(files))
    if as_json:
        facts = {"paths": written, "preset": codec.preset.name, "skipped": skipped}
        click.echo(json.dumps(facts, ensure_ascii=False))
    say_skipped(skipped, len(files))


def _targets(
    codec: Codec, given: tuple[Path, ...], files: list[tuple[Path, Path]], into: Path | None, done: str
) -> list[Path]:
    """Return where the results go: into one folder with the inputs' tree, or beside each input.

    Raise MusicaeError where two inputs would be written to one place.
    """
    folders = [path for path in given if path.is_dir()]
    targets: dict[Path, Path] = {}
    for file, name in files:
        suffix = usual_suffix(codec, file.suffix)
        inside = next((folder for folder in folders if folder / name == file), None)
        if into:
            target = into / name.with_suffix(suffix)
        elif inside:
            base = inside if inside.name not in ("", "..") else inside.resolve()  # Never into the folder itself.
            target = base.with_name(f"{base.name}-{done}") / name.with_suffix(suffix)
        else:
            target = file.with_name(f"{file.stem}-{done}{suffix}")
        if target in targets:
            raise MusicaeError(f"{targets[target]} and {file} would both be written to {target}; restore them apart")
        targets[target] = file
    return list(targets)
