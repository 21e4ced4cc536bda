"""The `meta` of a sample of notes, which holds what the tensor lacks: create, mix, join and complete it.

It is a plain, JSON-able dict. Steps count from the start of the sample.

============ ==============================================================================
key          value
============ ==============================================================================
tempos       ``[[step, quarter notes a minute], ...]``, the first at step 0
meters       ``[[step, numerator, denominator], ...]``, the first at step 0
programs     ``[[step, General MIDI program 0..127], ...]``, the first at step 0
keys         ``[[step, sharps (or minus flats), 0 major or 1 minor], ...]``, may be empty
swing        ``[[step, ratio of the first eighth of a beat to the second], ...]``, 1 for straight ones
track        the track's name
encoding     that of the track's name in the file, if it was not UTF-8; may be missing
source       the file's name
velocities   1..127 where a note begins, else 0: ``T`` numbers (melody), ``9`` lists of ``T`` (drums)
parts        of a band, in place of programs, track and velocities: ``{"bass": {"programs": ..., "track": ...}}``
length       of a band, in steps
============ ==============================================================================
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from musicae.adapters.shared.schema import Name, checked
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.formats.music.bar_grid import without_repeated_meters, without_repeats
from musicae.formats.music.swing import MAX_SWING, MIN_SWING
from musicae.formats.text import ENCODINGS

__all__ = [
    "average",
    "blank",
    "blank_band",
    "check",
    "check_band",
    "concat",
    "concat_bands",
    "mix",
    "played",
    "velocities",
]

_DEFAULT_VELOCITY = 80.0
_BAR_ACCENT, _BEAT_ACCENT = 8, 4
_EPS = 1e-9  # Of a sum of weights.


_Step = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Tempo = Annotated[float, Meta(ge=6e7 / 0xFFFFFF, le=6e7)]  # What MIDI can write.
_Ratio = Annotated[float, Meta(ge=MIN_SWING, le=MAX_SWING)]
_Velocity = Annotated[int, Meta(ge=0, le=127)]
_Track = Annotated[str, Meta(max_length=100_000, pattern="^[^\ud800-\udfff]*$")]  # What UTF-8 can hold.
_Encoding = Annotated[str, Meta(max_length=20, pattern="^[a-z0-9_-]*$")]
_Small = Annotated[int, Meta(ge=1, le=64)]


_Programs = Annotated[list[tuple[_Step, _Velocity]], Meta(min_length=1)]


class _ScoreMeta(TypedDict, total=False):
    """The table above, of a file of codes."""

    tempos: Annotated[list[tuple[_Step, _Tempo]], Meta(min_length=1)]
    meters: Annotated[list[tuple[_Step, _Small, _Small]], Meta(min_length=1)]
    swing: Annotated[list[tuple[_Step, _Ratio]], Meta(min_length=1)]
    encoding: _Encoding
    keys: list[tuple[_Step, Annotated[int, Meta(ge=-7, le=7)], Annotated[int, Meta(ge=0, le=1)]]]
    source: Name


class _LineMeta(_ScoreMeta, total=False):
    programs: _Programs
    track: _Track
    velocities: list[_Velocity]


class _RowsMeta(_ScoreMeta, total=False):
    programs: _Programs
    track: _Track
    velocities: list[list[_Velocity]]


class _PartMeta(TypedDict):
    programs: _Programs
    track: _Track


class _BandMeta(_ScoreMeta, total=False):
    parts: dict[Literal["melody", "bass", "harmony", "drums"], _PartMeta]
    length: _Step


def check(meta: Mapping[str, Any], rows: int, blank: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `meta` of a file of codes; what is missing comes from `blank`.

    `rows` is how many lists the velocities are, 0 where they are numbers. Raise MusicaeError, one line, for anything
    of another type or out of range, maps that do not go from step 0 upwards, and meters that are no powers of two.
    """
    made = checked(meta, _RowsMeta if rows else _LineMeta, blank)
    made["programs"] = _rising("programs", made["programs"])
    _check_maps(made)
    if rows and made["velocities"] and [len(row) for row in made["velocities"]] != [len(made["velocities"][0])] * rows:
        raise MusicaeError(f"its meta is damaged: its velocities must be {rows} lists of one length")
    return made


def check_band(meta: Mapping[str, Any], blank: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `meta` of a band from a file of codes, as `check` does."""
    made = checked(meta, _BandMeta, blank)
    for part in made["parts"].values():
        part["programs"] = _rising("programs", part["programs"])
    _check_maps(made)
    return made


def _check_maps(made: dict[str, Any]) -> None:
    """Check what all kinds of notes have."""
    for name in ("tempos", "meters", "keys", "swing"):
        made[name] = _rising(name, made[name])
    if made.get("encoding", "") not in ("", *ENCODINGS):
        raise MusicaeError("its meta is damaged: it names no encoding of text")
    if any(d & (d - 1) for _, _, d in made["meters"]):
        raise MusicaeError("its meta is damaged: a meter's denominator must be 1, 2, 4 ... 64")


def _rising(name: str, values: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the entries of a map as lists. Raise MusicaeError unless their steps rise, but for keys from 0."""
    steps = [entry[0] for entry in values]
    if steps != sorted(set(steps)) or (steps and steps[0] and name != "keys"):
        raise MusicaeError(f"its meta is damaged: the steps of its {name} must rise from 0")
    return [list(entry) for entry in values]


def blank_band(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `meta` of a band that came from no file; `parts` are its programs and names."""
    return {**_no_file(), "parts": copy.deepcopy(dict(parts)), "length": 0}


def blank(track: str, program: int = 0) -> dict[str, Any]:
    """Return the `meta` of something that came from no file: 120 quarter notes a minute, 4/4."""
    return {**_no_file(), "programs": [[0, program]], "track": track, "velocities": []}


def _no_file() -> dict[str, Any]:
    return {"tempos": [[0, 120.0]], "meters": [[0, 4, 4]], "keys": [], "swing": [[0, 1.0]], "source": ""}


def average(meta: Mapping[str, Any], name: str) -> float:
    """Return the geometric mean of a map of numbers, such as tempos, over the steps; an entry lasts until the next."""
    entries = meta[name]
    known = meta.get("length") or (np.shape(meta["velocities"])[-1] if meta.get("velocities") else 0)
    length = max(known, entries[-1][0] + 1)
    spans = np.diff([at for at, _ in entries] + [length])
    return math.exp(float(np.average([math.log(value) for _, value in entries], weights=spans)))


def mix(metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """Return the `meta` between several.

    Tempo and swing are the weighted geometric means of their averages, velocities are averaged where notes begin
    (over those with a note there), and the rest comes from the one with the largest weight, the first on a tie. A
    weight of 1 gives that `meta` unchanged.
    """
    heaviest = max(range(len(metas)), key=lambda i: weights[i])
    mixed = copy.deepcopy(metas[heaviest])
    if weights[heaviest] >= 1.0 - _EPS:
        return mixed
    for name in ("tempos", "swing") if all("swing" in one for one in metas) else ("tempos",):
        logs = (w * math.log(average(m, name)) for m, w in zip(metas, weights, strict=True))
        mixed[name] = [[0, math.exp(sum(logs))]]
    paired = zip(metas, weights, strict=True)
    known = [(np.asarray(m["velocities"], float), w) for m, w in paired if m.get("velocities")]
    if known:
        shape = (*known[0][0].shape[:-1], max(v.shape[-1] for v, _ in known))
        total, weight = np.zeros(shape), np.zeros(shape)
        for v, w in known:
            total[..., : v.shape[-1]] += w * v
            weight[..., : v.shape[-1]] += w * (v > 0)
        mixed["velocities"] = np.rint(total / np.maximum(weight, _EPS)).astype(int).tolist()
    return mixed


def played(meta: Mapping[str, Any], tempo: float | None, programs: Mapping[str, int]) -> dict[str, Any]:
    """Return `meta` with one tempo, in quarter notes a minute, unless that is None, and other instruments.

    `programs` are those of the parts of a band, 0 .. 127, or that of a line by the name ``""``.
    """
    changed = copy.deepcopy(dict(meta))
    if tempo is not None:
        changed["tempos"] = [[0, tempo]]
    for part, program in programs.items():
        if part:
            changed["parts"].setdefault(part, {"track": part.capitalize()})["programs"] = [[0, program]]
        else:
            changed["programs"] = [[0, program]]
    return changed


def concat(parts: Sequence[Sample], steps_per_beat: int) -> dict[str, Any]:
    """Return the `meta` of samples end to end: their maps with offsets, the names of the first."""
    joined = copy.deepcopy(parts[0].meta)
    maps: dict[str, list[list[Any]]] = {
        name: [] for name in ("tempos", "meters", "programs", "keys", "swing") if name in joined
    }
    offset = 0
    for part in parts:
        length = part.tensor.shape[-1]
        for name, entries in maps.items():
            # A trimmed sample may still hold entries from after its end.
            entries.extend([at + offset, *value] for at, *value in part.meta[name] if at < length)
        offset += length
    joined |= {name: without_repeats(entries) for name, entries in maps.items() if name != "meters"}
    joined["meters"] = without_repeated_meters(maps["meters"], steps_per_beat)
    if "velocities" in joined:
        joined["velocities"] = _join_velocities(parts)
    return joined


def concat_bands(parts: Sequence[Sample]) -> dict[str, Any]:
    """Return the ``parts`` of bands end to end: programs with offsets, and the first name of each part."""
    joined: dict[str, Any] = {}
    offset = 0
    for sample in parts:
        length = sample.tensor.shape[-1]
        for name, part in sample.meta["parts"].items():
            own = [[at + offset, program] for at, program in part["programs"] if at < length]
            if name in joined:
                joined[name]["programs"] = without_repeats([*joined[name]["programs"], *own])
            else:
                joined[name] = {"programs": [[0, own[0][1]], *own[1:]], "track": part["track"]}
        offset += length
    return joined


def _join_velocities(parts: Sequence[Sample]) -> list[Any]:
    depth = max(np.ndim(part.meta["velocities"]) for part in parts)
    rows = parts[0].tensor.shape[0] if depth == 2 else 1
    if not any(part.meta["velocities"] for part in parts):
        return []
    blocks = []
    for part in parts:
        block = np.zeros((rows, part.tensor.shape[-1]), int)
        known = np.atleast_2d(np.asarray(part.meta["velocities"] or 0, int))[:, : block.shape[1]]
        block[:, : known.shape[1]] = known
        blocks.append(block)
    joined = np.concatenate(blocks, axis=1)
    result: list[Any] = joined.tolist() if depth == 2 else joined[0].tolist()
    return result


def velocities(meta: dict[str, Any], rows: int, length: int, steps_per_beat: int) -> NDArray[np.int64]:
    """Return a velocity 1..127 for every row and step, ``(rows, length)``.

    Velocities in `meta` are kept. Elsewhere it is their mean (80 if there are none), plus 8 on the first step of a bar
    and 4 on a beat.
    """
    known = np.zeros((rows, length), np.int64)
    stored = np.atleast_2d(np.asarray(meta["velocities"], np.int64))[:rows, :length]
    known[: stored.shape[0], : stored.shape[1]] = stored
    level = known[known > 0].mean() if np.any(known) else _DEFAULT_VELOCITY
    accent = np.where(np.arange(length) % steps_per_beat == 0, _BEAT_ACCENT, 0)
    meters = meta["meters"]
    for (at, n, d), nxt in zip(meters, [*meters[1:], [length]], strict=True):
        bar = max(1, round(steps_per_beat * 4 * n / d))
        accent[at : nxt[0] : bar] = _BAR_ACCENT
    # Two less everywhere, so that the accents barely change the mean.
    assumed = np.broadcast_to(np.rint(level + accent - 2).astype(np.int64), known.shape)
    return np.clip(np.where(known > 0, known, assumed), 1, 127)
