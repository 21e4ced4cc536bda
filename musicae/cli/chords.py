"""The command chords."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicae.cli.shared.options import OutputCommand, force_option, json_option, one_file, verbose_option
from musicae.cli.shared.results import beside, say_json
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show, show_path

if TYPE_CHECKING:
    from musicae.ops.chords import Chart

__all__ = ["chords"]

_SOURCES = {
    "notes": "recognised from the notes",
    "melody": "that fit the melody",
    "symbols": "as the file names them",
    "sound": "recognised from the sound",
}
_BARS, _WIDTH = 4, 100  # Bars in a line, and how many characters it has at most.
_DRAWN = 8  # Bars in a row of the picture.


@click.command(cls=OutputCommand)
@one_file
@click.option("--bars", metavar="A-B", help="Only these bars, such as 5-8 or 3, counted from 1; not for recordings.")
@click.option("--track", metavar="TRACK", help="The track of the melody, by its number (from 1) or its name.")
@click.option("--transpose", type=int, default=0, metavar="N", help="Tell all of it N semitones higher (lower: -N).")
@click.option("--png", metavar="[FILE]", help="Draw the parts as well, with the names of the chords above.")
@force_option
@json_option
@verbose_option
def chords(
    file: Path,
    bars: str | None,
    track: str | None,
    transpose: int,
    png: str | None,
    force: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Print the chords of a piece bar by bar, with its key, meter and tempo.

    FILE is a MIDI or ABC file, or a recording. Chords that the file names are taken (markers, the lyrics of a track,
    ABC), else they are recognised; a melody alone gets chords that fit it. What is printed can be given to --chords of
    other commands.
    """
    from musicae.ops import chords as finding

    picture = beside("png", png, file.parent / f"{file.stem}-chords")
    with staged([picture] if picture else [], force) as places:
        chart = finding.chords(file, bars=bars, track=track, transpose=transpose)
        if picture:
            _draw(chart, places[picture], file.name)
    for remark in chart.remarks if verbose else ():
        say(remark)
    if as_json:
        say_json(_facts(file, chart, picture))
        return
    for line in _lines(chart):
        show(line)
    if picture:
        show_path(picture, error=True)


def _draw(chart: Chart, place: Path, title: str) -> None:
    from musicae import plots

    if chart.chroma is None:
        plots.lanes(plots.systems(chart.rolls, _DRAWN), place, [title], columns=1, one_piece=True)
        return
    plots.chromagram(chart.chroma, chart.names(), chart.bars, place, title)


def _facts(file: Path, chart: Chart, picture: Path | None) -> dict[str, object]:
    texts = chart.bar_texts()
    return {
        "path": str(file),
        **({"png": str(picture)} if picture else {}),
        "key": chart.key or None,
        "meter": chart.meter or None,
        "tempo": round(chart.tempo, 2),
        "source": chart.source,
        "progression": " | ".join(texts),
        "chords": chart.spans(),
    }


def _lines(chart: Chart) -> Iterator[str]:
    meter = [chart.meter] if chart.meter else []
    about = ", ".join([chart.key or "no clear key", *meter, f"tempo {chart.tempo:.4g}"])
    yield f"# {about}; chords {_SOURCES[chart.source]}"
    texts = chart.bar_texts()
    cell, digits = max(map(len, texts)), len(str(chart.first + len(texts)))
    across = next(n for n in (_BARS, _BARS // 2, 1) if n == 1 or digits + 2 + n * (cell + 3) <= _WIDTH)
    for i in range(0, len(texts), across):
        yield _row(chart.first + i, texts[i : i + across], digits, cell)


def _row(number: int, texts: Sequence[str], digits: int, cell: int) -> str:
    return f"{number:>{digits}} | {' | '.join(f'{text:<{cell}}' for text in texts)} |"
