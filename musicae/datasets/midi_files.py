"""Any folder of MIDI files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache
from musicae.datasets.shared.midi_folder import folder_windows
from musicae.datasets.shared.split import split_of
from musicae.ranges import Seed, Share

__all__ = ["midi_files"]


def midi_files(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    test: Share = 0.05,
    validation: Share = 0.03,
    track: str = "",
    by_song: bool = True,
) -> Windows:
    """Return one split of all MIDI files under `folder`; with `by_song`, files with the same melody stay together.

    `track` names the track to read in each, instead of the adapter's own choice. Files that cannot be read, or hold
    nothing for the adapter, are skipped.
    """
    folder = cache.own_folder(folder, "midi-files", "MIDI files")
    assign = partial(split_of, seed=seed, test=test, validation=validation)
    return folder_windows(adapter, split, folder, track, assign, by_song)
