"""Which preset a file that is given alone is opened with: a recording or a photo with what restores it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from musicae.core import Candidate
from musicae.errors import MusicaeError
from musicae.formats.pictures.views import size_of
from musicae.formats.sound.reading import reading
from musicae.ops.choose import choice_for, preset_for
from musicae.web.catalog import Catalog, kind_of

__all__ = ["Choice", "choice_alone"]

_SHORT_SECONDS = 2.0  # A shorter sound is a single note or hit, to be turned into another.
_SMALL_PIXELS = 64  # The longer side of a picture up to which it is one of those that models of pictures make.
_CALLED = {"recording": "a recording", "photo": "a photo"}


class Choice(NamedTuple):
    """The name of a preset, and what is to be said of it at the terminal."""

    preset: str
    notices: list[str]


def choice_alone(catalog: Catalog, file: Path) -> Choice:
    """Return the preset for a file that is given alone: what restores it as `musicae.denoise` does, or its corner.

    Raise MusicaeError for a file that no preset takes.
    """
    for_codes = preset_for(file)
    found, kind = _restorer(catalog, file)
    if found is None:
        return Choice(for_codes, [])
    line = f"{file}: {_CALLED[kind]}, opened with {found.name}; --preset {for_codes} to morph"
    return Choice(found.name, [line, *([found.doubt] if found.doubt else [])])


def _restorer(catalog: Catalog, file: Path) -> tuple[Candidate | None, str]:
    """Return the preset that restores a file, and its kind; None for a single note or hit, a digit, or anything else.

    A file that cannot be read is such a one: who opens it says why.
    """
    try:
        found = choice_for(file, "denoise")
        codec = catalog.codec(found.name)
        kind = kind_of(codec)
        if kind == "recording":
            with reading(file) as opened:
                short = opened.length is not None and opened.length < _SHORT_SECONDS * opened.kind.rate
            return None if short else found, kind
        if kind == "photo":
            return None if max(size_of(file)) <= _SMALL_PIXELS else found, kind
    except MusicaeError:
        pass
    return None, ""
