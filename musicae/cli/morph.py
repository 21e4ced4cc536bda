"""The commands that make music: interpolate, reconstruct, sample, vary."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .results import Maker, few_threads, reading, results, writing

__all__ = ["interpolate", "reconstruct", "sample", "vary"]

one_file = click.argument("file", type=click.Path(path_type=Path))
preset_option = click.option(
    "--preset", metavar="NAME", help="A preset or a .safetensors file; by default what fits the first input."
)
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
    "--align", type=click.Choice(["loop", "pad", "trim"]), default="loop", show_default=True,
    help="For inputs of different lengths: loop or pad the shorter, or trim the longer.",
)  # fmt: skip
@click.option(
    "--temperature", type=float, default=0.0, show_default=True, help="0: the likeliest notes; 1: drawn ones."
)
@seed_option
@preset_option
@join_option
@reading
@writing
def interpolate(
    files: tuple[Path, ...], steps: int, grid: bool, even: bool, slerp: bool, exact_endpoints: bool, align: str,
    temperature: float, seed: int, preset: str | None, join: bool, track: str | None, bars: str | None, **options: Any,
) -> None:  # fmt: skip
    """Turn one file into another, step by step.

    FILES are two MIDI files (or four with --grid) of any length: melodies of any kind, or drums.
    The result is one file named A-to-B.mid beside the first.
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
            exact_endpoints=exact_endpoints, align=align, grid=grid, report=_percent, track=track, bars=bars,
        )  # fmt: skip
        out.say(made.notices, made.remarks)
        out.write(made.parts, _titles(made.distances, stems, grid), steps if grid else None)
    out.report(preset=codec.preset.name, steps=steps, distances=made.distances, remarks=[*made.notices, *made.remarks])


def _percent(done: int, of: int) -> None:
    """Show how far a long morph has come, where a person looks on."""
    if of > 100 and sys.stderr.isatty():
        click.echo(f"\r\x1b[K{done} of {of} windows" if done < of else "\r\x1b[K", nl=False, err=True)


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
@reading
@writing
def reconstruct(file: Path, preset: str | None, track: str | None, bars: str | None, **options: Any) -> None:
    """Encode a file and decode it again, to see what is kept.

    The result is named FILE-reconstructed.mid; the accuracy (share of the steps that are right) goes to stderr.
    """
    from musicae import ops

    few_threads(file)
    codec = ops.codec_for(preset, file)
    with results(codec, file.parent, f"{file.stem}-reconstructed", [], join=True, **options) as out:
        made = ops.reconstruct(file, preset=codec, track=track, bars=bars)
        out.say([f"accuracy {made.accuracy:.4f}"], made.remarks)
        out.write([made.sample], [f"{file.stem}, {made.accuracy:.1%} right"])
    out.report(preset=codec.preset.name, accuracy=made.accuracy, remarks=made.remarks)


@click.command(cls=Maker)
@click.option(
    "--preset", default="melody-2bar", show_default=True, metavar="NAME", help="A preset or a .safetensors file."
)
@count_option
@click.option("--temperature", type=float, default=1.0, show_default=True, help="Below 1: more usual; above: less.")
@seed_option
@join_option
@writing
def sample(preset: str, count: int, temperature: float, seed: int, join: bool, **options: Any) -> None:
    """Make something new.

    The result is named PRESET-sample.mid, in the current folder.
    """
    from musicae import ops

    ops.check_number("the number of results", count, least=1)
    few_threads()
    codec = ops.codec_for(preset)
    with results(codec, Path(), f"{codec.preset.name}-sample", _step_names(count, False), join=join, **options) as out:
        out.write(ops.sample(codec, count, seed=seed, temperature=temperature), _numbers(count))
    out.report(preset=codec.preset.name)


@click.command(cls=Maker)
@one_file
@click.option("--similarity", type=float, default=0.7, show_default=True, help="1: the file itself; 0: something new.")
@count_option
@seed_option
@preset_option
@join_option
@reading
@writing
def vary(
    file: Path, similarity: float, count: int, seed: int, preset: str | None, join: bool, track: str | None,
    bars: str | None, **options: Any,
) -> None:  # fmt: skip
    """Make variations of a file.

    The result is named FILE-varied.mid, beside the file.
    """
    from musicae import ops

    ops.check_number("the number of results", count, least=1)
    few_threads(file)
    codec = ops.codec_for(preset, file)
    with results(codec, file.parent, f"{file.stem}-varied", _step_names(count, False), join=join, **options) as out:
        made = ops.vary(file, similarity, count, preset=codec, seed=seed, track=track, bars=bars)
        remarks = made[0].remarks
        out.say([], remarks)
        out.write(made, _numbers(count))
    out.report(preset=codec.preset.name, similarity=similarity, remarks=remarks)


def _numbers(count: int) -> list[str]:
    return [str(i) for i in range(1, count + 1)]
