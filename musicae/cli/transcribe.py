"""The command transcribe."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicae.cli.shared.completing import paths
from musicae.cli.shared.options import (
    OutputCommand,
    force_option,
    json_option,
    one_file,
    program_option,
    transpose_option,
    verbose_option,
)
from musicae.cli.shared.progress import time_left
from musicae.cli.shared.results import beside, say_json
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from musicae.ops.transcribe import Transcript

__all__ = ["transcribe"]


@click.command(cls=OutputCommand)
@one_file
@click.option("-o", "--output", metavar="PATH", shell_complete=paths, help="The MIDI file to write; - is stdout.")
@click.option("--tempo", type=float, metavar="BPM", help="The tempo of the recording; by default it is found.")
@program_option
@transpose_option
@click.option("--wav", metavar="[FILE]", help="Write the sound of the notes as well.")
@click.option("--png", metavar="[FILE]", help="Draw the notes over the pitch that was followed.")
@force_option
@json_option
@verbose_option
def transcribe(
    file: Path,
    output: str | None,
    tempo: float | None,
    program: tuple[str, ...],
    transpose: int | None,
    wav: str | None,
    png: str | None,
    force: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Write down what a voice or an instrument sings or plays.

    FILE is a recording of one of them alone: hummed, sung, whistled or played. The result is named
    FILE-transcribed.mid, beside it.
    """
    streamed = output == "-"
    if streamed and as_json:
        raise MusicaeError("-o - writes the file to stdout; it does not go with --json")
    usual = file.with_name(f"{file.stem}-transcribed.mid")
    main = None if streamed else Path(output) if output else usual
    extra = {
        kind: beside(kind, wanted, (main or usual).with_suffix("")) for kind, wanted in (("wav", wav), ("png", png))
    }
    targets = [path for path in (main, *extra.values()) if path]
    _check(file, main, targets)
    with staged(targets, force) as places:
        import musicae

        with time_left() as report:
            made = musicae.transcribe(file, tempo, program=program, transpose=transpose or 0, report=report)
        for line in made.notices:
            say(line)
        stream = io.BytesIO()
        made.save(stream)
        if main:
            made.save(places[main])
        remark = _render(stream, places[extra["wav"]]) if extra["wav"] else ""
        if extra["png"]:
            _draw(made, places[extra["png"]], file.name)
    notes = made.notes()
    about = f"{len(notes)} notes, tempo {made.tempo:.4g}, {made.key or 'no clear key'}, {made.tuning:+.0f} cents"
    for line in (about, remark) if verbose else ():
        if line:
            say(line)
    if streamed:
        sys.stdout.buffer.write(stream.getvalue())
    if as_json:
        say_json(_facts(made, notes, main, extra))
        return
    for path in targets:
        show_path(path, error=streamed)


def _check(file: Path, main: Path | None, targets: Sequence[Path]) -> None:
    from musicae.formats.music.midi import SUFFIXES

    for target in targets:
        if target.resolve() == file.resolve():
            raise MusicaeError(f"{target} is the recording itself; name another file")
    if main is not None and main.suffix.lower() not in SUFFIXES:
        raise MusicaeError(f"-o {main}: notes are written as {SUFFIXES[0]}; name a file that ends so")


def _render(notes: io.BytesIO, place: Path) -> str:
    from musicae.formats.music.synth import render

    notes.seek(0)
    return render(notes, place, "the result")


def _draw(made: Transcript, place: Path, title: str) -> None:
    from musicae import plots

    found = made.transcription
    line = found.line
    notes = list(zip(line.start.tolist(), line.end.tolist(), line.pitch.tolist(), strict=True))
    about = f"{title}: {len(notes)} notes, tempo {made.tempo:.4g}"
    plots.sung_line(notes, line.curve - line.tuning, line.seconds, found.beats.tolist(), place, about)


def _facts(
    made: Transcript, notes: list[dict[str, Any]], main: Path | None, extra: dict[str, Path | None]
) -> dict[str, Any]:
    return {
        "path": str(main),
        **{kind: str(path) for kind, path in extra.items() if path},
        "tempo": round(made.tempo, 2),
        "key": made.key or None,
        "tuning": round(made.tuning, 1),
        "notes": notes,
        "remarks": made.notices,
    }
