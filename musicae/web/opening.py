"""What the page begins with: files at its corners, or one that is restored, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musicae.errors import MusicaeError
from musicae.memory import check_memory
from musicae.ops.choose import default_preset, preset_for
from musicae.ops.inputs import check_file
from musicae.web.asked import MAX_CORNERS
from musicae.web.choosing import Choice, choice_alone
from musicae.web.studio import DRAW, Studio

__all__ = ["Start", "starting"]


@dataclass(frozen=True)
class Start:
    """What the page begins with: a preset, and the id, name and bars of its corners; `notices` are for the terminal."""

    preset: str
    corners: list[dict[str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def starting(studio: Studio, files: Sequence[Path], preset: str | None, options: Mapping[str, Any]) -> Start:
    """Return what the page begins with: `files`, and draws where fewer than two are given (or three).

    Without a `preset`, a recording or a photo alone is opened with what restores it.
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
        corners.append({"id": key, "name": called, "bars": options.get("bars") or ""})
        notices += said
    wanted = 0 if not codec.model.latent_size else 4 if len(files) in (0, 3, 4) else 2
    for number in range(len(corners) + 1, wanted + 1):
        corners.append({"id": f"{DRAW}{number}", "name": f"draw {number}"})
    return Start(name, corners, notices)


def _chosen(studio: Studio, files: Sequence[Path], preset: str | None, options: Mapping[str, Any]) -> Choice:
    if preset is not None:
        return Choice(studio.catalog.add(preset), [])
    if not files:
        return Choice(default_preset("sample"), [])
    if len(files) > 1 or any(options.values()):
        return Choice(preset_for(files[0]), [])
    return choice_alone(studio.catalog, files[0])
