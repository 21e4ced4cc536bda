"""POP909: the melodies of 909 pop songs (Wang et al. 2020)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared import cache
from musicae.datasets.shared.midi_folder import folder_windows
from musicae.datasets.shared.split import split_of
from musicae.errors import MusicaeError
from musicae.ranges import Seed, Share

__all__ = ["pop909"]


def pop909(
    adapter: Adapter, split: str, folder: Path | None, *, seed: Seed = 0, test: Share = 0.05, validation: Share = 0.03
) -> Windows:
    """Return one split of POP909 (Wang et al. 2020), by file; an adapter of one line reads the track named MELODY."""
    folder = folder or cache.data_folder() / "pop909"
    if not folder.is_dir():
        raise MusicaeError(
            f"no POP909 in {folder}; get it from github.com/music-x-lab/POP909-Dataset and name its folder "
            "with --data pop909=DIR"
        )
    track = "MELODY" if adapter.one_track else ""
    return folder_windows(adapter, split, folder, track, partial(split_of, seed=seed, test=test, validation=validation))
