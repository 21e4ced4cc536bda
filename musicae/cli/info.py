"""The command info."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from musicae.cli.shared.options import json_option, verbose_option
from musicae.cli.shared.results import say_json, say_skipped
from musicae.cli.shared.terminal import say, show
from musicae.errors import MusicaeError

__all__ = ["info"]

Facts = dict[str, Any]

_MOST_NAMED = 8  # Files that codes are of.


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@verbose_option
def info(files: tuple[Path, ...], as_json: bool, verbose: bool) -> None:
    """Print what a file is to musicae.

    Of music: its tracks and the part each would be, bars, meter, tempo and key; of a recording its rate, length and
    level, and whether it is speech or music; of a picture its size; and which preset is taken for it, which -v
    explains. Of several FILES, or of those in a folder, there is a line each.
    """
    from musicae.ops import info as finding
    from musicae.ops.choose import readable_suffixes
    from musicae.ops.inputs import listed

    if len(files) == 1 and not files[0].is_dir():
        facts = finding.info(files[0])
        if as_json:
            say_json(facts)
            return
        for line in _lines(facts):
            show(line)
        for remark in facts.get("remarks", []) if verbose else ():
            say(remark)
        return
    found, skipped = [], {}
    every = listed(files, [*readable_suffixes("code"), *finding.OWN])
    for path, _ in every:
        try:
            facts = finding.info(path)
        except MusicaeError as error:
            skipped[str(path)] = str(error)
            continue
        found.append(facts)
        if not as_json:
            show(f"{path}: {_short(facts)}")
    if as_json:
        say_json(found)
    say_skipped(skipped, len(every))


def _lines(facts: Facts) -> Iterator[str]:
    yield f"{facts['path']}: {_short(facts)}"
    if facts["kind"] == "music":
        yield from _table(facts["tracks"])
    if facts["kind"] in ("checkpoint", "preset"):
        yield f"{facts['description']} (musicae show {facts['path']} prints all of it)"
    elif facts["kind"] == "codes":
        more = " ..." if len(facts["files"]) > _MOST_NAMED else ""
        yield f"of {', '.join(facts['files'][:_MOST_NAMED])}{more}; musicae decode writes them"
    elif facts["preset"]:
        yield f"preset {facts['preset']}: {facts['description']}"
    else:
        yield from facts["remarks"][:1]


def _table(tracks: Sequence[Facts]) -> Iterator[str]:
    names = max(len(track["name"] or "unnamed") for track in tracks)
    instruments = max(len(track["instrument"]) for track in tracks)
    for track in tracks:
        name, part = track["name"] or "unnamed", track["part"] or "left out"
        yield (
            f"{track['number']:>3}  {name:<{min(names, 40)}.40}  {track['instrument']:<{instruments}}  "
            f"{track['notes']:>5} notes  {part}"
        )


def _short(facts: Facts) -> str:
    """Return what a file is in a line."""
    kind = facts["kind"]
    if kind == "music":
        often = {what: facts[f"{what}_changes"] for what in ("meter", "tempo")}
        changes = [f"{what} changes {count} time{'s' * (count > 1)}" for what, count in often.items() if count]
        pitched = any(track["part"] != "drums" for track in facts["tracks"])
        key = [facts["key"] or "no clear key"] if pitched else []
        about = [f"{facts['bars']} bar{'s' * (facts['bars'] > 1)}", facts["meter"], f"tempo {facts['tempo']:.4g}", *key]
        return f"{facts['format']}, {', '.join([*about, _clock(facts['seconds']), *changes])}"
    if kind == "recording":
        channels = {1: "mono", 2: "stereo"}.get(facts["channels"], f"{facts['channels']} channels")
        content = f"{'perhaps ' if facts['doubt'] else ''}{facts['content'] or 'silence'}"
        level = f"{facts['level']:.1f} dB (peak {facts['peak']:.1f} dB)"
        return f"{facts['format']}, {facts['rate']} Hz, {channels}, {_clock(facts['seconds'])}, {level}, {content}"
    if kind == "picture":
        alpha = ", with transparency" if facts["alpha"] else ""
        return f"{facts['format']}, {facts['width']} x {facts['height']}, {facts['mode']}, {facts['bits']} bits{alpha}"
    if kind == "codes":
        count = len(facts["files"])
        return f"codes of {facts['preset']}: {facts['windows']} windows of {count} file{'s' * (count > 1)}"
    steps = f", trained for {facts['step']} steps" if kind == "checkpoint" else ""
    return f"a {kind}, {facts['preset']}{steps}"


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    clock = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else clock if seconds >= 10 else f"{seconds:.1f} s"
