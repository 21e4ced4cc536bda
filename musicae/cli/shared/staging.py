"""Files that appear when a command is done, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from musicae.errors import MusicaeError
from musicae.formats import atomic
from musicae.formats.temporary import temporary_folder

__all__ = ["exists", "make_folder", "staged"]


@contextmanager
def staged(targets: Sequence[Path], force: bool) -> Iterator[Mapping[Path, Path]]:
    """Give a temporary place for each of `targets`; at the end all are put where they belong.

    Raise MusicaeError, before anything is computed, for one that exists (without `force`), that is a
    folder, or whose folder cannot be written. An error in between leaves nothing behind.
    """
    for target in targets:
        if exists(target) and target.is_dir():
            raise MusicaeError(f"{target} is a folder; name a file with -o")
        if exists(target) and not force:
            raise MusicaeError(f"{target} exists already; -f overwrites it, -o names another")
    with ExitStack() as cleaning:
        hidden = {folder: _hidden(folder, cleaning) for folder in dict.fromkeys(target.parent for target in targets)}
        places = {target: hidden[target.parent] / target.name for target in targets}
        try:
            yield places
            for target, place in places.items():
                place.replace(target)
        except MusicaeError as error:
            # A message names the place a file was to have, not where it was on its way there.
            text = str(error)
            for target, place in places.items():
                text = text.replace(str(place), str(target))
            for folder, temporary in hidden.items():
                text = text.replace(str(temporary), str(folder))
            raise MusicaeError(text) from error
        except OSError as error:
            raise MusicaeError(f"cannot write {error.filename}: {error.strerror}") from error


def _hidden(folder: Path, cleaning: ExitStack) -> Path:
    """Make a temporary folder in `folder`, which is made if need be."""
    make_folder(folder, cleaning)
    try:
        return cleaning.enter_context(temporary_folder(folder))
    except OSError as error:
        raise MusicaeError(f"cannot write in {folder}: {error.strerror}; name another place with -o") from error


def exists(path: Path) -> bool:
    """Tell whether there is such a file or folder; there is none of a name that is too long."""
    return os.path.exists(path)  # noqa: PTH110, since Path.exists raises for such a name.


def make_folder(folder: Path, cleaning: ExitStack) -> None:
    """Make `folder` and those over it; `cleaning` removes what was made here and is empty then.

    Raise MusicaeError where it cannot be made.
    """
    for path in [path for path in (folder, *folder.parents) if not path.exists()][::-1]:
        cleaning.callback(_remove_if_empty, path)
    atomic.make_folder(folder)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # It is not empty; or another process removed it.
        folder.rmdir()
