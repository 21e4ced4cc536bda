"""How fast musicae is on this machine, beside other programs, as tables in Markdown.

    python tests/bench/run.py [NAME ...] [--data SET=DIR ...] [--peers PYTHON] [--quick] [--json FILE] [--write PAGE]

docs/benchmarks.md explains the tables, and how to install the peers. Everything is measured in one run, side by side.
A part that cannot be measured says why, and the rest goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import corpora
import denoising
import digits
import machine
import photos
import start
import training
from click import echo
from contest import shortened
from report import Setting, Table

from musicae.cli.shared.data import folders_of
from musicae.errors import MusicaeError

SECTIONS: dict[str, Callable[[Setting], list[Table]]] = {
    "training": training.measure,
    "digits": digits.measure,
    "denoising": denoising.measure,
    "corpora": corpora.measure,
    "start": start.measure,
    "photos": photos.measure,
}


def main() -> None:
    """Measure the sections that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(SECTIONS)}; all if none")
    parser.add_argument("--data", action="append", default=[], metavar="SET=DIR", help=(
        "real data instead of synthetic ones: mnist, midi-files, groove, pictures, recordings, one-shots, noise; "
        "speech and noise to measure how well speech is denoised"
    ))  # fmt: skip
    parser.add_argument("--peers", type=Path, default=Path(sys.executable), help="the Python that has the peers")
    parser.add_argument("--quick", action="store_true", help="less of everything, in some two minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page, between its markers")
    given = parser.parse_args()
    if unknown := set(given.names) - SECTIONS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(SECTIONS)}")
    try:
        data = folders_of(given.data)
    except MusicaeError as error:
        parser.error(str(error))
    if given.write and not given.write.is_file():
        parser.error(f"there is no page {given.write}")
    page = given.write.read_text() if given.write else ""
    chosen = [name for name in SECTIONS if name in given.names or not given.names]
    missing = [name for name in chosen if given.write and _marked(name).search(page) is None]
    if missing:
        parser.error(f"{given.write} has no markers for {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MUSICAE_CACHE"] = folder  # What is prepared for a measurement is not kept.
        setting = Setting(given.quick, data, given.peers.absolute(), Path(folder))
        texts, figures = _measured(chosen, setting)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))
    for name, text in texts.items():
        page = _marked(name).sub(lambda found, text=text: f"{found[1]}\n{text}\n{found[2]}", page)
    if given.write:
        given.write.write_text(page)


def _measured(names: list[str], setting: Setting) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the text of each section, and all figures; tell each when it is there."""
    heading = f"{datetime.now(UTC):%d %B %Y}, {machine.describe()}"
    echo(f"{heading}\n")
    texts: dict[str, str] = {}
    figures: dict[str, Any] = {"machine": heading, "quick": setting.quick}
    for name in names:
        began = time.perf_counter()
        try:
            tables = SECTIONS[name](setting)
        except Exception as error:
            tables = [Table(name, {"not measured": ""}, [[f"{type(error).__name__}: {shortened(str(error))}"]])]
        text = "\n".join(table.markdown() for table in tables)
        echo(text)
        echo(f"({name}: {time.perf_counter() - began:.0f} s)", err=True)
        texts[name] = f"{heading}\n\n{text}"
        figures[name] = [table.json() for table in tables]
    return texts, figures


def _marked(name: str) -> re.Pattern[str]:
    """Return what finds the part of a page that belongs to a section."""
    return re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)


if __name__ == "__main__":
    main()
