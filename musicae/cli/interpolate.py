"""The command interpolate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import (
    OutputCommand,
    OutputOptions,
    chords_option,
    join_option,
    keep_option,
    preset_option,
    reading,
    seed_option,
    step_names,
    temperature_option,
    writing,
)
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import results

__all__ = ["interpolate"]


@click.command(cls=OutputCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--steps", type=int, default=9, show_default=True, help="Steps from the first to the last, both counted.")
@click.option("--grid", is_flag=True, help="Four inputs, the corners of a square of STEPS times STEPS.")
@click.option(
    "--even/--uneven",
    default=True,
    help="Make all steps change about as much (the default), or space them evenly in code.",
)
@click.option("--slerp/--lerp", default=True, help="Walk along great circles (the default), or straight lines.")
@click.option(
    "--exact-endpoints", is_flag=True, help="Put the inputs themselves at the ends, not their reconstructions."
)
@click.option(
    "--align",
    type=click.Choice(["loop", "pad", "trim"]),
    help="Inputs of different lengths: loop the shorter (the default for music), pad it (for single sounds), or trim "
    "the longer.",
)
@click.option(
    "--label", metavar="CLASS[,CLASS]", help="The inputs' class, or one for each: A,B. For a conditional preset."
)
@click.option(
    "--same-key/--own-key",
    default=None,
    help="Music: move the other files into the key of the first (the default for songs), or leave them in their own.",
)
@click.option(
    "--hold",
    multiple=True,
    metavar="ATTRIBUTE",
    help="This attribute of the first file stays all the way, such as density; it may be given several times.",
)
@temperature_option
@seed_option
@chords_option
@keep_option
@preset_option
@join_option
@reading
@writing
def interpolate(
    files: tuple[Path, ...],
    steps: int,
    grid: bool,
    even: bool,
    slerp: bool,
    exact_endpoints: bool,
    align: str | None,
    label: str | None,
    temperature: float,
    seed: int,
    chords: str | None,
    same_key: bool | None,
    hold: tuple[str, ...],
    keep: tuple[str, ...],
    preset: str | None,
    join: bool,
    only: str | None,
    read: dict[str, Any],
    **options: Any,
) -> None:
    """Turn one file into another, step by step.

    FILES are two files of a kind (or four with --grid): MIDI files or recordings of any length, sounds, or pictures.
    The result is one file named A-to-B.mid or A-to-B.wav, of pictures a strip A-to-B.png; -o x.gif makes them move.
    """
    import musicae
    from musicae.ops.choose import codec_for
    from musicae.ops.inputs import check_number
    from musicae.ops.interpolate import check_inputs

    check_inputs(len(files), grid)
    check_number("steps", steps, at_least=2)
    codec = codec_for(preset, *files, only=only)
    stems = [file.stem for file in files]
    stem = f"{'-'.join(stems)}-grid" if grid else "-to-".join(stems[:2])
    names, output = step_names(steps, grid), OutputOptions(**options)
    with results(codec, files[0].parent, stem, output, names, join=join) as out:
        made = musicae.interpolate(
            *files,
            preset=codec,
            steps=steps,
            seed=seed,
            temperature=temperature,
            spherical=slerp,
            even=even,
            exact_endpoints=exact_endpoints,
            align=align,
            grid=grid,
            label=label.split(",") if label else None,
            keep=keep,
            chords=chords,
            same_key=same_key,
            hold=hold,
            report=percent("windows", least=100),
            **read,
        )
        out.say(made.notices, made.remarks)
        out.write(made.parts, _titles(made.distances, stems, grid), steps if grid else None)
    out.report(preset=codec.preset.name, steps=steps, distances=made.distances, remarks=[*made.notices, *made.remarks])


def _titles(distances: list[float], stems: list[str], grid: bool) -> list[str]:
    titles = [f"{name}   {100 * distance:.0f} % away" for name, distance in enumerate(distances, start=1)]
    if not grid:
        titles[0], titles[-1] = f"1   {stems[0]}", f"{titles[-1]}   {stems[1]}"
    return titles
