"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from musicae.cli.shared import completing
from musicae.cli.shared.terminal import say

__all__ = [
    "BESIDE",
    "OutputCommand",
    "OutputOptions",
    "amount_option",
    "chords_option",
    "count_option",
    "force_option",
    "jobs_option",
    "join_option",
    "json_option",
    "keep_option",
    "label_option",
    "like_option",
    "numbered",
    "one_file",
    "parts_option",
    "preset_argument",
    "preset_option",
    "program_option",
    "reading",
    "seed_option",
    "shift_option",
    "step_names",
    "temperature_option",
    "tempo_option",
    "transpose_option",
    "verbose_option",
    "writing",
]

F = TypeVar("F", bound=Callable[..., Any])

BESIDE = "beside the result"
"""The value of ``--wav`` and ``--png`` that name no file."""

one_file = click.argument("file", type=click.Path(path_type=Path))
preset_argument = click.argument("name", metavar="PRESET", shell_complete=completing.presets)
preset_option = click.option(
    "--preset", metavar="NAME", shell_complete=completing.presets,
    help="A preset or a .safetensors file; by default what fits the first input.",
)  # fmt: skip
label_option = click.option("--label", metavar="CLASS", help="Its class, a number or a name, for a conditional preset.")
seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="Another number gives other random draws."
)
temperature_option = click.option(
    "--temperature", type=float, default=0.0, show_default=True, help="0 takes the most probable values, 1 draws them."
)
count_option = click.option("-n", "count", type=int, default=1, show_default=True, help="How many to make.")
amount_option = click.option(
    "--amount", type=float, default=1.0, show_default=True, help="How much of the timing and the loudness, 0 to 1."
)
like_option = click.option(
    "--like", type=click.Path(path_type=Path), metavar="FILE", help="MIDI with drums that are to be played like."
)
join_option = click.option(
    "--join/--split", default=True, help="One file with all, one after another (the default), or a folder of files."
)
fit_option = click.option(
    "--fit",
    type=click.Choice(["scale", "pad", "digit"]),
    help="Pictures: how to bring them to the preset's size; digit finds the digit in a photo.",
)
force_option = click.option("-f", "--force", is_flag=True, help="Overwrite what exists.")
jobs_option = click.option(
    "-j", "--jobs", type=click.IntRange(1, 61), default=1, help="How many of several files at a time."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of paths.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Explain each choice in a line.")


def parts_option(name: str, text: str) -> Callable[[F], F]:
    """Return an option that takes names of parts, separated by commas or given several times, as a tuple."""

    def split(context: click.Context, option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
        return tuple(part.strip().lower() for value in values for part in value.split(","))

    return click.option(name, multiple=True, metavar="PART", callback=split, help=text)


keep_option = parts_option(
    "--keep", "Bands: this part stays as it is in the first file, the others fit it; it may be given several times."
)
shift_option = click.option(
    "--shift",
    multiple=True,
    metavar="ATTRIBUTE=VALUE",
    shell_complete=completing.attributes,
    help="Change an attribute as musicae shift does, such as density=+1; it may be given several times.",
)
chords_option = click.option(
    "--chords", metavar='"C | G7 Am7 | F"', help="Bands: the chords to play over, bar by bar; they are repeated."
)

tempo_option = click.option("--tempo", type=float, metavar="BPM", help="Music: write it at so many beats a minute.")
program_option = click.option(
    "--program",
    multiple=True,
    metavar="[PART=]INSTRUMENT",
    help="Music: the instrument, a number of General MIDI (1-128) or a name such as flute; of one part: bass=33. "
    "It may be given several times.",
)
transpose_option = click.option(
    "--transpose", type=int, metavar="N", help="Music: write it N semitones higher (lower: -N); drums stay."
)


class OutputCommand(click.Command):
    """A command with ``--wav [FILE]`` or ``--png [FILE]``: the next word is theirs only if it ends like one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give both options a value, so that ``--png a.mid b.mid`` leaves both files to the command."""
        words = list(args)
        end = words.index("--") if "--" in words else len(words)
        for i in reversed(range(end)):
            if words[i] in ("--wav", "--png"):
                named = i + 1 < end and words[i + 1].lower().endswith(f".{words[i][2:]}")
                words[i] += f"={words.pop(i + 1) if named else BESIDE}"
        return super().parse_args(ctx, words)


@dataclass(frozen=True)
class OutputOptions:
    """Where a command's results go, and what it prints: the values of the options `writing`."""

    output: str | None = None
    force: bool = False
    wav: str | None = None
    png: str | None = None
    as_json: bool = False
    verbose: bool = False
    drop: tuple[str, ...] = ()
    solo: tuple[str, ...] = ()
    tempo: float | None = None
    program: tuple[str, ...] = ()
    transpose: int | None = None

    def say(self, notices: Sequence[str], remarks: Sequence[str] = ()) -> None:
        """Print lines on stderr: `notices` always, `remarks` if asked for."""
        for line in [*notices, *(remarks if self.verbose else ())]:
            say(line)


def reading(function: F) -> F:
    """Add the options of commands that read files, for the adapter that takes them.

    The command gets `only`, which picks the preset by what it reads of a song, and all others as a dict, `read`.
    """
    options = (
        click.option(
            "--track", metavar="TRACK", help="Music: the track to read, by its number (from 1) or (part of) its name."
        ),
        click.option("--bars", metavar="A-B", help="Music: the bars to read, such as 5-8 or 3, counted from 1."),
        click.option(
            "--part",
            multiple=True,
            metavar="TRACK=PART",
            help="Bands: the part that a track plays, such as 3=harmony (melody, bass, harmony, drums or none). "
            "It may be given several times.",
        ),
        click.option(
            "--transpose", type=int, metavar="N", help="Music: read it N semitones higher (lower: -N); drums stay."
        ),
        click.option(
            "--only",
            metavar="melody|drums|band",
            shell_complete=completing.reads,
            help="Songs: read only this; it picks the preset.",
        ),
        fit_option,
    )

    @wraps(function)
    def collected(
        *args: Any, track: str | None, bars: str | None, transpose: int | None, part: Any, fit: str | None, **rest: Any
    ) -> Any:
        read = {"track": track, "bars": bars, "transpose": transpose, "part": part or None, "fit": fit}
        return function(*args, read=read, **rest)

    return _with(cast(F, collected), options)


def writing(function: F) -> F:
    """Add the options of commands that write one file or a folder; they make up `OutputOptions`."""
    options = (
        click.option(
            "-o",
            "--output",
            metavar="PATH",
            shell_complete=completing.paths,
            help="The file to write (with --split: the folder); - is stdout.",
        ),
        force_option,
        click.option("--wav", metavar="[FILE]", help="Write the sound of music as well."),
        click.option("--png", metavar="[FILE]", help="Draw every step of music or sound in one picture."),
        json_option,
        verbose_option,
        parts_option("--drop", "Bands: leave this part out of the result; it may be given several times."),
        parts_option("--solo", "Bands: write only this part of the result; it may be given several times."),
        tempo_option,
        program_option,
    )
    return _with(function, options)


def _with(function: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def step_names(steps: int, grid: bool) -> list[str]:
    """Return the names of the files of a walk, or of a grid: ``01``, ``02`` or ``01-01``, ``01-02`` and so on."""
    digits = len(str(steps))
    numbers = [f"{i:0{max(2, digits)}d}" for i in range(1, steps + 1)]
    return [f"{row}-{column}" for row in numbers for column in numbers] if grid else numbers


def numbered(count: int) -> list[str]:
    """Return ``1`` to `count`."""
    return [str(i) for i in range(1, count + 1)]
