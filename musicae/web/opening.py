"""What the page begins with: files at its corners, or one recording before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musicae.core import Candidate
from musicae.errors import MusicaeError
from musicae.formats.sound.reading import reading
from musicae.memory import check_memory
from musicae.ops.choose import choice_for, default_preset, preset_for
from musicae.ops.inputs import check_file
from musicae.web.asked import MAX_CORNERS
from musicae.web.catalog import kind_of
from musicae.web.studio import DRAW, Studio

__all__ = ["Start", "starting"]

_SHORT_SECONDS = 2.0  # A shorter sound is a single note or hit, to be turned into another.


@dataclass(frozen=True)
class Start:
    """What the page begins with: a preset, and the ids and names of its corners; `notices` are for the terminal."""

    preset: str
    corners: list[dict[str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def starting(studio: Studio, files: Sequence[Path], preset: str | None, options: Mapping[str, Any]) -> Start:
    """Return what the page begins with: `files`, and draws where fewer than two are given (or three).

    Without a `preset`, a recording alone is opened with what restores it, as `musicae.denoise` chooses that.
    Raise MusicaeError for files that cannot be read, for too many of them, and for a preset that does not exist.
    """
    if len(files) > MAX_CORNERS:
        raise MusicaeError(f"play takes up to {MAX_CORNERS} files, not {len(files)}; drop the others on the page")
    name, notices = _chosen(studio, files, preset, options)
    codec = studio.catalog.codec(name)
    if len(files) > 1 and not codec.model.latent_size:
        raise MusicaeError(f"'{name}' takes one file at a time, not {len(files)}; name one")
    corners = []
    for file in files:
        check_file(file)
        check_memory(file.stat().st_size, str(file))
        try:
            key, called, _, said = studio.add(file.read_bytes(), file.name, name, options)
        except MusicaeError as error:
            raise MusicaeError(studio.store.without_folder(str(error), file)) from None
        corners.append({"id": key, "name": called})
        notices += said
    wanted = 0 if not codec.model.latent_size else 4 if len(files) in (0, 3, 4) else 2
    for number in range(len(corners) + 1, wanted + 1):
        corners.append({"id": f"{DRAW}{number}", "name": f"draw {number}"})
    return Start(name, corners, notices)


def _chosen(
    studio: Studio, files: Sequence[Path], preset: str | None, options: Mapping[str, Any]
) -> tuple[str, list[str]]:
    """Return the name of the preset that the page begins with, and what is to be said of that."""
    if preset is not None:
        return studio.catalog.add(preset), []
    if not files:
        return default_preset("sample"), []
    for_codes = preset_for(files[0])
    if len(files) > 1 or any(options.values()) or not (found := _restorer(studio, files[0])):
        return for_codes, []
    line = f"{files[0]}: a recording, opened with {found.name}; --preset {for_codes} to morph"
    return found.name, [line, *([found.doubt] if found.doubt else [])]


def _restorer(studio: Studio, file: Path) -> Candidate | None:
    """Return the preset that restores a recording; None for anything else, and for a single note or hit."""
    try:
        found = choice_for(file, "denoise")
        if kind_of(studio.catalog.codec(found.name)) != "recording":
            return None
        with reading(file) as opened:
            short = opened.length is not None and opened.length < _SHORT_SECONDS * opened.kind.rate
    except MusicaeError:  # No preset restores this kind of file, or it cannot be read, which is said later.
        return None
    return None if short else found
