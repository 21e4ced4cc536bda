"""Any folder of MIDI files, and POP909."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import Tensor

from ..core import Adapter, Windows
from ..errors import MusicaeError
from . import cache, scores
from .split import check, split_of

__all__ = ["midi_files", "pop909"]


def midi_files(
    adapter: Adapter, split: str, folder: Path | None, *, seed: int = 0, test: float = 0.05, validation: float = 0.03,
    track: str = "",
) -> Windows:  # fmt: skip
    """Return one split of all MIDI files under `folder`, split by file.

    `track` names the track to take in each, where the adapter's own choice will not do.
    Files that cannot be read, or hold nothing for the adapter, are passed over.
    """
    folder = cache.own_folder(folder, "midi-files", "MIDI files")
    return _folder(adapter, split, folder, track, seed, test, validation)


def pop909(
    adapter: Adapter, split: str, folder: Path | None, *, seed: int = 0, test: float = 0.05, validation: float = 0.03
) -> Windows:
    """Return one split of POP909 (Wang et al. 2020), its tracks named MELODY, split by song."""
    folder = folder or cache.data_folder() / "pop909"
    if not folder.is_dir():
        raise MusicaeError(
            f"no POP909 in {folder}; get it from github.com/music-x-lab/POP909-Dataset and name its folder "
            "with --data pop909=DIR"
        )
    return _folder(adapter, split, folder, "MELODY", seed, test, validation)


def _folder(
    adapter: Adapter, split: str, folder: Path, track: str, seed: int, test: float, validation: float
) -> Windows:
    check(split)
    if not folder.is_dir():
        raise MusicaeError(f"no folder {folder}; check the path given with --data")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    if not files:
        raise MusicaeError(f"no MIDI files under {folder}; check the path given with --data")
    settings = {"adapter": adapter.__dict__, "kind": type(adapter).__name__, "track": track}
    key = cache.fingerprint(files, folder, set="midi", **settings)

    def make() -> Windows:
        read = partial(_read_file, adapter, folder, track)
        return scores.collect(adapter, scores.read_all(read, files), f"MIDI files under {folder}")

    everything = cache.cached(key, make)
    return scores.subset(everything, lambda name: split_of(name, seed, test, validation) == split)


def _read_file(adapter: Adapter, folder: Path, track: str, path: Path) -> list[tuple[str, Tensor]]:
    try:
        sample = adapter.read(path, track=track or None)
    except MusicaeError:
        return []
    return [(path.relative_to(folder).as_posix(), scores.cut(adapter, sample))]
