"""What the page saves: the files that the commands write, of one point or of the whole walk."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from musicae.codec import Codec
from musicae.core import Latent, Sample
from musicae.errors import MusicaeError
from musicae.formats.temporary import temporary_folder
from musicae.ops import codes
from musicae.ops.drawing import draw
from musicae.ops.interpolate import steps_between
from musicae.ops.playing import played
from musicae.ops.point import Place
from musicae.ops.walk import WalkOptions
from musicae.web.asked import Point
from musicae.web.sounds import Sounds, has_sound
from musicae.web.studio import Found, Studio

__all__ = ["MAX_STEPS", "SavedFile", "save_point", "save_walk"]

MAX_STEPS = 33
"""Of a walk that is saved from the page."""

_TYPES = {"mid": "audio/midi", "wav": "audio/wav", "png": "image/png", "npz": "application/octet-stream"}


class SavedFile(NamedTuple):
    """A file to save: its name, its MIME type and its bytes."""

    name: str
    kind: str
    data: bytes


def save_point(studio: Studio, sounds: Sounds, ask: Point, kind: str) -> SavedFile:
    """Return what is at a point as a file of a kind: ``"mid"``, ``"wav"``, ``"png"`` or ``"npz"``.

    Raise MusicaeError for a kind that what the preset makes cannot be saved as.
    """
    found = studio.find(ask)
    codec, name = found.pad.codec, _stem(studio, ask)
    _check_kind(codec, kind, ["npz"])
    if kind == "npz":
        return _file(name, kind, _codes(codec, found, name))
    return _file(name, kind, _written(codec, sounds, [found.sample], [""], kind))


def save_walk(studio: Studio, sounds: Sounds, ask: Point, kind: str, steps: int) -> SavedFile:
    """Return the way from the first corner to the second in so many steps, as `musicae.interpolate` goes it.

    Raise MusicaeError as `save_point` does, and for a wrong number of steps.
    """
    if not 2 <= steps <= MAX_STEPS:
        raise MusicaeError(f"a walk has 2 to {MAX_STEPS} steps here, not {steps}; musicae interpolate takes more")
    pad = studio.pad(ask)
    codec, corners = pad.codec, pad.corners
    _check_kind(codec, kind, [])
    ends = replace(corners, samples=corners.samples[:2], codes=corners.codes[:2], conds=corners.conds[:2])
    parts = steps_between(ends, WalkOptions(steps, temperature=ask.temperature, seed=ask.seed))
    if any(ask.shift.values()):
        parts = [_shifted(studio, codec, part, ask) for part in parts]
    if corners.kept:
        parts = [corners.kept.in_sample(part) for part in parts]
    parts = [played(codec, [part], studio.playing(codec, ask, part))[0] for part in parts]
    titles = [str(number) for number in range(1, steps + 1)]
    return _file(f"{_stem(studio, ask)}-walk", kind, _written(codec, sounds, parts, titles, kind))


def _shifted(studio: Studio, codec: Codec, part: Sample, ask: Point) -> Sample:
    windows, cond = codec.split(part), codec.split_cond(part)
    place = Place(codec.encode(windows, cond).mean, cond, [])
    moved, _ = studio.shifted(codec, windows, place, ask)
    return replace(part, tensor=codec.join(moved, part.hop, part.tensor.shape[-1]))


def _check_kind(codec: Codec, kind: str, also: Sequence[str]) -> None:
    """Raise MusicaeError for a kind of file that is not written of what a codec makes."""
    kinds = [*also, "png", *(["mid"] if codec.adapter.plays else []), *(["wav"] if has_sound(codec) else [])]
    if kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise MusicaeError(f"what '{codec.preset.name}' makes is saved as {known}, not as '{kind:.20}'")


def _written(codec: Codec, sounds: Sounds, parts: Sequence[Sample], titles: Sequence[str], kind: str) -> bytes:
    """Return samples one after another as a file."""
    file = io.BytesIO()
    if kind == "png":
        draw(codec.adapter, parts, file, titles)
        return file.getvalue()
    joined = parts[0] if len(parts) == 1 else codec.adapter.concat(parts)
    if kind == "mid":
        codec.adapter.write(joined, file)
    else:
        sounds.write(codec, joined, file)
    return file.getvalue()


def _codes(codec: Codec, found: Found, name: str) -> bytes:
    sample, cond = found.sample, found.place.cond
    if found.plain:
        arrays = codes.packed(codec, [sample], [name], Latent(found.place.codes), cond)
    else:
        arrays = codes.encode(sample, preset=codec)
    with temporary_folder() as folder:
        path = folder / "codes.npz"
        codes.save(arrays, path)
        return path.read_bytes()


def _stem(studio: Studio, ask: Point) -> str:
    """Return what a file is called: after the corners, or at least the preset."""
    names = [studio.corner(ask.preset, key)[0].name for key in ask.corners]
    return "-".join([ask.preset, *(Path(name).stem.replace(" ", "") for name in names[:2])])


def _file(stem: str, kind: str, data: bytes) -> SavedFile:
    return SavedFile(f"{stem}.{kind}", _TYPES[kind], data)
