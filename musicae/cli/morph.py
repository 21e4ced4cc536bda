"""The commands that go from codes to files: interpolate, reconstruct, sample, vary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.errors import MusicaeError

from .results import Maker, few_threads, percent, reading, results, writing

__all__ = ["interpolate", "reconstruct", "sample", "vary"]

one_file = click.argument("file", type=click.Path(path_type=Path))
preset_option = click.option(
    "--preset", metavar="NAME", help="A preset or a .safetensors file; by default what fits the first input."
)
label_option = click.option("--label", metavar="CLASS", help="Its class, a number or a name, for a conditional preset.")
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Other draws for another number.")
count_option = click.option("-n", "count", type=int, default=1, show_default=True, help="How many to make.")
join_option = click.option(
    "--join/--split", default=True, help="One file with all, one after another (the default), or a folder of files."
)


@click.command(cls=Maker)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--steps", type=int, default=9, show_default=True, help="Steps from the first to the last, both counted.")
@click.option("--grid", is_flag=True, help="Four inputs, the corners of a square of STEPS times STEPS.")
@click.option(
    "--even/--uneven", default=True, help="Change as much at each step (the default), or walk evenly in code."
)
@click.option("--slerp/--lerp", default=True, help="Along great circles (the default), or straight lines.")
@click.option(
    "--exact-endpoints", is_flag=True, help="Put the inputs themselves at the ends, not their reconstructions."
)
@click.option(
    "--align", type=click.Choice(["loop", "pad", "trim"]),
    help="For inputs of different lengths: loop the shorter (the default), pad it (that of single sounds), or trim the "
    "longer.",
)  # fmt: skip
@click.option(
    "--temperature", type=float, default=0.0, show_default=True, help="0: the likeliest values; 1: drawn ones."
)
@seed_option
@preset_option
@join_option
@reading
@writing
def interpolate(
    files: tuple[Path, ...], steps: int, grid: bool, even: bool, slerp: bool, exact_endpoints: bool, align: str | None,
    temperature: float, seed: int, preset: str | None, join: bool, track: str | None, bars: str | None,
    fit: str | None, **options: Any,
) -> None:  # fmt: skip
    """Turn one file into another, step by step.

    FILES are two files of a kind (or four with --grid): MIDI files or recordings of any length, sounds, or pictures.
    The result is one file named A-to-B.mid or A-to-B.wav, of pictures a strip A-to-B.png; -o x.gif makes them move.
    """
    from musicae import ops

    ops.check_inputs(len(files), grid)
    few_threads(*files)
    ops.check_number("steps", steps, least=2)
    codec = ops.codec_for(preset, *files)
    stems = [file.stem for file in files]
    stem = f"{'-'.join(stems)}-grid" if grid else "-to-".join(stems[:2])
    with results(codec, files[0].parent, stem, _step_names(steps, grid), join=join, **options) as out:
        made = ops.interpolate(
            *files, preset=codec, steps=steps, seed=seed, temperature=temperature, spherical=slerp, even=even,
            exact_endpoints=exact_endpoints, align=align, grid=grid, report=percent("windows", least=100),
            track=track, bars=bars, fit=fit,
        )  # fmt: skip
        out.say(made.notices, made.remarks)
        out.write(made.parts, _titles(made.distances, stems, grid), steps if grid else None)
    out.report(preset=codec.preset.name, steps=steps, distances=made.distances, remarks=[*made.notices, *made.remarks])


def _step_names(steps: int, grid: bool) -> list[str]:
    digits = len(str(steps))
    numbers = [f"{i:0{max(2, digits)}d}" for i in range(1, steps + 1)]
    return [f"{row}-{column}" for row in numbers for column in numbers] if grid else numbers


def _titles(distances: list[float], stems: list[str], grid: bool) -> list[str]:
    titles = [f"{name}   {100 * distance:.0f} % away" for name, distance in enumerate(distances, start=1)]
    if not grid:
        titles[0], titles[-1] = f"1   {stems[0]}", f"{titles[-1]}   {stems[1]}"
    return titles


@click.command(cls=Maker)
@one_file
@preset_option
@label_option
@reading
@writing
def reconstruct(
    file: Path, preset: str | None, label: str | None, track: str | None, bars: str | None, fit: str | None,
    **options: Any,
) -> None:  # fmt: skip
    """Encode a file and decode it again, to see what is kept.

    The result is named FILE-reconstructed.mid (or .png). What goes to stderr is the accuracy: the share of the steps
    that are right, or of the variance of a picture, and its PSNR.
    """
    from musicae import ops

    few_threads(file)
    codec = ops.codec_for(preset, file)
    with results(codec, file.parent, f"{file.stem}-reconstructed", [], join=True, **options) as out:
        made = ops.reconstruct(file, preset=codec, label=label, track=track, bars=bars, fit=fit)
        psnr = "" if made.psnr is None else f", PSNR {made.psnr:.2f} dB"
        out.say([f"accuracy {made.accuracy:.4f}{psnr}"], made.remarks)
        out.write([made.sample], [f"{file.stem}, {made.accuracy:.1%} right"])
    facts = {} if made.psnr is None else {"psnr": made.psnr}
    out.report(preset=codec.preset.name, accuracy=made.accuracy, remarks=made.remarks, **facts)


@click.command(cls=Maker)
@click.argument("name", metavar="[PRESET]", required=False)
@click.option("--preset", metavar="NAME", help="The preset, if it is not the first word; by default melody-2bar.")
@click.option("--label", metavar="CLASS", help="The class to make, of a conditional preset; by default each in turn.")
@count_option
@click.option("--temperature", type=float, default=1.0, show_default=True, help="Below 1: more usual; above: less.")
@seed_option
@join_option
@writing
def sample(
    name: str | None, preset: str | None, label: str | None, count: int, temperature: float, seed: int, join: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Make something new.

    PRESET is a name or a .safetensors file.

    The result is named PRESET-sample.mid (or .png), in the current folder.
    """
    from musicae import inputs, ops

    ops.check_number("the number of results", count, least=1)
    if name and preset and name != preset:
        raise MusicaeError(f"two presets are named, '{name}' and '{preset}'; leave one out")
    few_threads()
    codec = ops.codec_for(name or preset or "melody-2bar")
    stem = f"{codec.preset.name}-sample{'' if label is None else f'-{inputs.label_of(codec, label)}'}"
    with results(codec, Path(), stem, _step_names(count, False), join=join, **options) as out:
        out.write(ops.sample(codec, count, seed=seed, temperature=temperature, label=label), _numbers(count))
    out.report(preset=codec.preset.name)


@click.command(cls=Maker)
@one_file
@click.option("--similarity", type=float, default=0.7, show_default=True, help="1: the file itself; 0: something new.")
@count_option
@seed_option
@preset_option
@label_option
@join_option
@reading
@writing
def vary(
    file: Path, similarity: float, count: int, seed: int, preset: str | None, label: str | None, join: bool,
    track: str | None, bars: str | None, fit: str | None, **options: Any,
) -> None:  # fmt: skip
    """Make variations of a file.

    The result is named FILE-varied.mid (or .png), beside the file.
    """
    from musicae import ops

    ops.check_number("the number of results", count, least=1)
    few_threads(file)
    codec = ops.codec_for(preset, file)
    with results(codec, file.parent, f"{file.stem}-varied", _step_names(count, False), join=join, **options) as out:
        made = ops.vary(
            file, similarity, count, preset=codec, seed=seed, label=label, track=track, bars=bars, fit=fit
        )  # fmt: skip
        remarks = made[0].remarks
        out.say([], remarks)
        out.write(made, _numbers(count))
    out.report(preset=codec.preset.name, similarity=similarity, remarks=remarks)


def _numbers(count: int) -> list[str]:
    return [str(i) for i in range(1, count + 1)]
