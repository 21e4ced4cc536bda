"""How fast MIDI files are read and prepared for training, beside other packages."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest import Contender, Result, contest
from material import made
from report import Setting, Table, Value

from musicae.formats.folders import files_in
from musicae.formats.music.midi import SUFFIXES

Run = Callable[[], "dict[str, Any] | None"]

PACKAGES = ("pretty_midi", "note-seq", "miditoolkit", "mido", "symusic")
_FILES, _QUICK_FILES = 80, 20
COLUMNS = {
    "": "", "files a CPU second": ".0f", "musicae reads faster by": ".1f", "and prepares faster by": ".1f",
    "could not be read": "d", "remark": "",
}  # fmt: skip
NOTE = (
    "One thread. *Reading* gives all notes and times, *preparing* finds the melody and the bars, cuts windows of two "
    "bars and writes them to disk. symusic, which musicae reads with, is another's work in C++."
)


def measure(setting: Setting) -> list[Table]:
    """Read a random choice of files with each package."""
    folder = setting.data.get("midi-files") or made("midi-files", setting.folder)
    everything = files_in(folder, SUFFIXES)
    count = min(len(everything), _QUICK_FILES if setting.quick else _FILES)
    chosen = setting.folder / "chosen"
    chosen.mkdir()
    for i, path in enumerate(random.Random(0).sample(everything, count)):
        shutil.copyfile(path, chosen / f"{i}{path.suffix}")
    files = [str(path) for path in sorted(chosen.iterdir())]
    contenders = [
        Contender("musicae, reading", "corpora:reading", {"files": files}),
        Contender("musicae, preparing", "corpora:preparing", {"folder": str(chosen)}),
        *[
            Contender(name, "rivals:read_all", {"reader": name, "files": files}, setting.peers)
            for name in PACKAGES
        ],
    ]  # fmt: skip
    results = contest(contenders, 2)
    title = f"MIDI files read, {count} of {len(everything)}"
    return [Table(title, COLUMNS, [_row(result, results, count) for result in results], NOTE)]


def _row(result: Result, results: list[Result], count: int) -> list[Value]:
    if result.reason:
        return [result.name, None, None, None, None, result.reason]
    ours = results[:2]
    faster = [None if result in ours or base.reason else result.cpu / base.cpu for base in ours]
    return [result.name, count / result.cpu, *faster, result.figures[0].get("failed"), ""]


def reading(files: list[str]) -> Run:
    """Return what reads all files."""
    from musicae import MusicaeError
    from musicae.formats.music import midi

    paths = [Path(file) for file in files]

    def run() -> dict[str, Any]:
        failed = 0
        for path in paths:
            try:
                midi.load(path)
            except MusicaeError:
                failed += 1
        return {"failed": failed}

    return run


def preparing(folder: str) -> Run:
    """Return what makes the data set of a folder, for the preset of melodies."""
    import logging
    import os

    from musicae import preset as presets
    from musicae import registry, splits

    logging.disable()  # Files without a melody are told of.
    recipe = presets.load("melody-2bar", ["dataset.name=midi-files"])
    (name, settings) = recipe.part("adapter")
    adapter = registry.build("adapters", name, **settings)

    def run() -> None:
        with tempfile.TemporaryDirectory() as cache:
            os.environ["MUSICAE_CACHE"] = cache
            splits.load(recipe, adapter, "train", {"": Path(folder)})

    return run
